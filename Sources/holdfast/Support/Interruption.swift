import Dispatch
import Glibc

/// What a command still does when it is interrupted, before it ends: a throw-away cluster leaves no process behind.
final class Interruption {
    private var sources: [any DispatchSourceSignal] = []

    init(_ interrupted: @escaping @Sendable () -> Void) {
        for number in [SIGINT, SIGTERM, SIGHUP] {
            signal(number, SIG_IGN)
            let source = DispatchSource.makeSignalSource(signal: number, queue: .global())
            source.setEventHandler {
                interrupted()
                exit(128 + number)
            }
            source.resume()
            self.sources.append(source)
        }
    }

    func end() {
        for source in self.sources { source.cancel() }
        for number in [SIGINT, SIGTERM, SIGHUP] { signal(number, SIG_DFL) }
    }
}
