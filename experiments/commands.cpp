#include "commands.h"

namespace basin::program {

const std::vector<Command>& commands() {
  static const std::vector<Command> all = {
      {run_syntax, run_command},         {sweep_syntax, sweep_command},
      {compare_syntax, compare_command}, {info_syntax, info_command},
      {plot_syntax, plot_command},       {report_syntax, report_command},
      {eval_syntax, eval_command},       {encode_syntax, encode_command},
      {sample_syntax, sample_command},   {verify_syntax, verify_command},
      {data_syntax, data_command},       {completions_syntax, completions_command},
      {manual_syntax, manual_command}};
  return all;
}

}  // namespace basin::program
