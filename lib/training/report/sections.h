#pragma once

#include "results/report/page.h"
#include "training/report/report.h"

/// The sections of a report, each in a file of its own, or with its kin. One that has nothing to say of any
/// run adds nothing.
namespace basin::report_sections {

using Runs = std::vector<ReportedRun>;

/// What was run: model, data and settings, those that differ first.
void settings(Page& page, const Runs& runs);
/// Numbers of the evaluation side by side, and groups of runs of equal settings.
void numbers(Page& page, const Runs& runs, const ReportOptions& options);
/// Metrics of epochs, stage after stage, samples of all parts and all runs in one chart.
void curves(Page& page, const Runs& runs);
/// The pictures that each stage can give of the first runs, and those of its snapshots.
void pictures(Page& page, const Runs& runs, const ReportOptions& options);
/// Estimates of log Z by annealing forward and backward, with the effective samples of their chains.
void likelihoods(Page& page, const Runs& runs);
/// The best of k trials, as validation samples have it.
void trials(Page& page, const Runs& runs);
/// How saturated layers were when fine-tuning began, and how far it moved them.
void fine_tuning(Page& page, const Runs& runs);
/// What made the numbers.
void provenance(Page& page, const Runs& runs);

/// A table with a column for the names of rows and one for each run.
TextTable table_of_runs(const std::string& what, const Runs& runs);

}  // namespace basin::report_sections
