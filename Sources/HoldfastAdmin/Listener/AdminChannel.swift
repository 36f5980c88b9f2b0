import Hummingbird
import HummingbirdCore
import Logging
import NIOCore
import NIOHTTPTypes

/// A connection of the admin listener: HTTP/1.1 within bounds, and words for whoever speaks something else.
struct AdminChannel: ServerChildChannel {
    private let http: HTTP1Channel

    init(responder: @escaping HTTPChannelHandler.Responder) {
        self.http = HTTP1Channel(
            responder: responder,
            configuration: .init(
                additionalChannelHandlers: [ConnectionDeadlines()],
                httpDecoderConfiguration: .init(
                    maxHeaderFieldSize: AdminLimits.headByteCountMax, maxHeaderListSize: AdminLimits.headByteCountMax,
                    maxHeaderFieldCount: AdminLimits.headFieldsMax)))
    }

    func setup(channel: any Channel, logger: Logger) -> EventLoopFuture<HTTP1Channel.Value> {
        channel.eventLoop.makeCompletedFuture {
            try channel.pipeline.syncOperations.addHandler(ForeignProtocolHandler())
        }.flatMap { self.http.setup(channel: channel, logger: logger) }
    }

    func handle(value: HTTP1Channel.Value, logger: Logger) async {
        await self.http.handle(value: value, logger: logger)
    }
}
