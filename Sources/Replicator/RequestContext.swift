import Tracing

extension ServiceContext {
    private enum RequestIDKey: ServiceContextKey {
        typealias Value = String
    }

    /// By what the request behind an append is known: the same as in its answer and in the journals of all nodes that it
    /// passes. Every span of it inside the log says so.
    package var requestID: String? {
        get { self[RequestIDKey.self] }
        set { self[RequestIDKey.self] = newValue }
    }
}
