#pragma once

#include <vector>

#include "arguments.h"
#include "config/config.h"

/// One command of the basin program a pair: what it accepts, and what it does. Each returns an exit code.
namespace basin::program {

struct Command {
  const Syntax& (*syntax)();
  int (*run)(const Arguments&);
};
/// All of them, in the order of the overview.
const std::vector<Command>& commands();

const Syntax& run_syntax();
int run_command(const Arguments& arguments);

const Syntax& sweep_syntax();
int sweep_command(const Arguments& arguments);

const Syntax& compare_syntax();
int compare_command(const Arguments& arguments);

const Syntax& info_syntax();
int info_command(const Arguments& arguments);

const Syntax& plot_syntax();
int plot_command(const Arguments& arguments);

const Syntax& report_syntax();
int report_command(const Arguments& arguments);

const Syntax& eval_syntax();
int eval_command(const Arguments& arguments);

const Syntax& encode_syntax();
int encode_command(const Arguments& arguments);

const Syntax& sample_syntax();
int sample_command(const Arguments& arguments);

const Syntax& verify_syntax();
int verify_command(const Arguments& arguments);

const Syntax& data_syntax();
int data_command(const Arguments& arguments);
/// basin data show: the first training samples of the data set of a table [data], as a PNG.
int show_samples(const Config& config, const std::string& path);

/// What shells and man know of the commands, from their syntax.
const Syntax& completions_syntax();
int completions_command(const Arguments& arguments);
const Syntax& manual_syntax();
int manual_command(const Arguments& arguments);

}  // namespace basin::program
