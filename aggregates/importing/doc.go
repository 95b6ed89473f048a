// Package importing reads delivery files as warehouse systems export them: CSV,
// TSV and other delimited text, and Excel workbooks (.xlsx).
//
// A file is first staged on disk (see [Stage]): every row is read once, its
// columns are found by their headers, the order of day and month in its dates is
// settled over the whole file. Then the rows are sorted on disk, so that the rows
// of one delivery meet however far apart they were, and handed out as [Draft]s,
// one delivery at a time. Memory stays the same whatever the file's size.
//
// A row that cannot be taken is reported with its row number, column, value and
// what would be right, and takes its whole delivery with it: a delivery is
// imported with all of its rows or not at all. What is wrong with the file as a
// whole (no such column, no rows, unknown encoding) is an error before the first
// delivery is handed out.
//
// The package knows nothing of stores and commands, and of the aggregates only how
// they compare codes and numbers: it hands out what the file says, and somebody
// else decides what to do with it.
package importing
