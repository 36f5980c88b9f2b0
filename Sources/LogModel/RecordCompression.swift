/// Whether the records of a batch are stored compressed.
public enum RecordCompression: Hashable, Sendable {
    case none
    /// zlib's deflate for each batch of its own, at level 1 (fastest) ... 9 (smallest).
    ///
    /// A batch that would not get smaller is stored as it is.
    case deflate(level: Int)
}
