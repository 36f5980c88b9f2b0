import HoldfastNode

/// A bar on a terminal for work on bytes, with its speed and the time that is left.
final class ProgressBar {
    private static let width = 24
    private static let intervalNanoseconds: UInt64 = 100_000_000

    private let console: Console
    private let title: String
    private let began = MonotonicClock.now
    private var shown: UInt64 = 0

    init(_ title: String, _ console: Console) {
        self.title = title
        self.console = console
    }

    func show(done: Int, of total: Int) {
        let now = MonotonicClock.now
        guard now > self.shown + Self.intervalNanoseconds, total > 0 else { return }
        self.shown = now
        let part = min(1, Double(done) / Double(total))
        let filled = Int(part * Double(Self.width))
        let bar = String(repeating: "#", count: filled) + String(repeating: "-", count: Self.width - filled)
        let seconds = Double(now - self.began) / 1e9
        let speed = Double(done) / max(seconds, 1e-9)
        let left = speed > 0 ? Double(total - done) / speed : 0
        self.console.progress(
            "\(self.title) [\(bar)] \(Units.described(byteCount: UInt64(done))) of "
                + "\(Units.described(byteCount: UInt64(total))), \(Units.described(byteCount: UInt64(speed)))/s, "
                + "\(left.rounded(left < 10 ? 1 : 0)) s left")
    }

    func end() { self.console.endProgress() }
}
