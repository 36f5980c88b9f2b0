import LogModel

/// What an append returns.
public struct Appended: Hashable, Sendable {
    /// Indexes of the first and the last record.
    public var first: LogIndex
    public var last: LogIndex
    /// Of the frame that holds them.
    public var position: Position
    /// Behind that frame.
    public var end: Position
}
