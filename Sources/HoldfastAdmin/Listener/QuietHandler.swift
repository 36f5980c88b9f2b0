import Logging

/// Another handler, for warnings and what is graver: what the libraries of this listener say beside that is not this
/// node's news.
///
/// It has a floor of its own, since the level of the node's handler is shared by all of its loggers, and is left alone.
struct QuietHandler: LogHandler {
    private var base: any LogHandler
    private var floor = Logger.Level.warning

    init(_ base: any LogHandler) { self.base = base }

    var logLevel: Logger.Level {
        get { max(self.floor, self.base.logLevel) }
        set { self.floor = newValue }
    }

    var metadata: Logger.Metadata {
        get { self.base.metadata }
        set { self.base.metadata = newValue }
    }

    var metadataProvider: Logger.MetadataProvider? {
        get { self.base.metadataProvider }
        set { self.base.metadataProvider = newValue }
    }

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { self.base[metadataKey: key] }
        set { self.base[metadataKey: key] = newValue }
    }

    /// Libraries do not say what is to be done.
    func log(event: LogEvent) {
        var event = event
        var metadata = event.metadata ?? [:]
        if metadata["hint"] == nil {
            metadata["hint"] =
                "only the admin listener is concerned: if /livez does not answer, restart this node when it suits"
        }
        event.metadata = metadata
        self.base.log(event: event)
    }
}
