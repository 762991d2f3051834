//! From verdicts to points. The formula has a version; result files name it.
