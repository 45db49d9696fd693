# Writes the time series of R packages to a folder: Rscript export_series.R FOLDER
# A file a series: its number of steps a year (or other cycle) in the first line, then a value a line.

packages <- c("datasets", "forecast", "tseries", "urca", "AER", "MASS", "strucchange", "zoo", "boot", "lmtest")
folder <- commandArgs(trailingOnly = TRUE)[1]
dir.create(folder, showWarnings = FALSE, recursive = TRUE)

for (package in packages) {
  for (item in data(package = package)$results[, "Item"]) {
    name <- sub("^([^ ]+) ?.*$", "\\1", item)
    group <- if (grepl("\\(", item)) sub("^.*\\((.*)\\)$", "\\1", item) else name
    loaded <- new.env()
    suppressWarnings(data(list = group, package = package, envir = loaded))
    if (!exists(name, envir = loaded, inherits = FALSE)) next
    series <- get(name, envir = loaded)
    if (!is.ts(series)) next

    columns <- if (is.matrix(series)) series else matrix(series, ncol = 1, dimnames = list(NULL, name))
    for (place in seq_len(ncol(columns))) {
      values <- as.numeric(columns[, place])
      if (length(values) < 24) next
      column <- colnames(columns)[place]
      if (is.null(column)) column <- place
      file <- paste0(package, "__", name, "__", gsub("[^A-Za-z0-9.]", "_", column), ".txt")
      writeLines(c(as.character(frequency(series)), as.character(values)), file.path(folder, file))
    }
  }
}
