import Hummingbird
import NIOCore

/// A request of the admin listener on its way.
struct AdminContext: RequestContext {
    var coreContext: CoreRequestContextStorage
    /// Whose request it is; `nil` when the connection is gone already.
    let remoteAddress: SocketAddress?

    init(source: ApplicationRequestContextSource) {
        self.coreContext = .init(source: source)
        self.remoteAddress = source.channel.remoteAddress
    }
}
