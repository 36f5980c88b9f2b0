import Dispatch
import Glibc

/// Takes a throw-away cluster down when the command is interrupted: it leaves no process behind.
final class Interruption {
    private var sources: [any DispatchSourceSignal] = []

    init(cluster: LocalCluster, root: String) {
        for number in [SIGINT, SIGTERM, SIGHUP] {
            signal(number, SIG_IGN)
            let source = DispatchSource.makeSignalSource(signal: number, queue: .global())
            source.setEventHandler {
                for node in cluster.nodes { cluster.process(node)?.signal(SIGKILL) }
                Files.remove(root)
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
