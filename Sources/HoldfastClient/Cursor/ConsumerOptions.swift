/// When a ``Consumer`` stores how far it has come.
public struct ConsumerOptions: Hashable, Sendable {
    /// Records that are handled before their position is stored, 1 or more: after a crash at most so many are handled again.
    public var recordsMax = 100
    /// How long a record that was handled waits for that, when no others come.
    public var interval = Duration.seconds(1)
    /// Whether the log keeps what is not handled yet: nothing from the cursor on is trimmed then.
    public var holdsTrims = false
    /// Where to begin when there is no cursor of the name yet.
    public var start = HoldfastClient.Start.first

    public init() {}

    func check() {
        precondition(self.recordsMax > 0, "\(self.recordsMax) records between two positions")
        precondition(self.interval >= .zero, "interval of \(self.interval)")
    }
}
