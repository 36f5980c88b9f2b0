/// How far an append is: a line that is drawn again on a terminal, or a line each second where that was asked for.
struct AppendProgress {
    private static let intervalOnTerminal = Duration.milliseconds(100)
    private static let intervalElsewhere = Duration.seconds(1)

    private let console: Console
    private let isForced: Bool
    private var shown = ContinuousClock.now
    /// All that will be read, as far as it is known before.
    var readers: [LineReader] = []

    init(console: Console, isForced: Bool) {
        self.console = console
        self.isForced = isForced
    }

    mutating func show(_ words: () -> String) {
        let interval = Console.isErrorTerminal ? Self.intervalOnTerminal : Self.intervalElsewhere
        guard Console.isErrorTerminal || self.isForced, self.shown.duration(to: .now) >= interval else { return }
        self.shown = .now
        let line = words() + (self.part.map { ", \($0) %" } ?? "")
        if Console.isErrorTerminal { self.console.progress(line) } else { self.console.note(line) }
    }

    func end() { self.console.endProgress() }

    /// Of a hundred; `nil` when somebody may always write more.
    private var part: Int? {
        let total = self.readers.reduce(Int?.some(0)) { sum, reader in
            sum.flatMap { sum in reader.byteCount.map { sum + $0 } }
        }
        guard let total, total > 0 else { return nil }
        return min(100, self.readers.reduce(0) { $0 + $1.readByteCount } * 100 / total)
    }
}
