/// The choice of a forward pass's batch statistics.
public enum Mode {
  /// Batch statistics, which update the running ones.
  case training
  /// Running statistics.
  case evaluation
  /// Batch statistics, which are collected and leave the running ones as they are.
  case measurement(BatchStatistics)
}
