import CNGHTTP2
import LogModel

/// One end of an HTTP/2 connection as a value without sockets and clocks: bytes in, events out; messages in, bytes out.
///
/// ```
/// receive(bytes, now) -> events          respond / request / send(body:) / reset ...
///        |                                        |
///     nghttp2_session_mem_recv                 nghttp2_submit_*
///        '---------------> drain() -> output <----'
/// ```
/// Body bytes never enter the session: the user announces how many it has, and the output says where they belong.
/// Received body bytes are ranges of the input. So nothing is copied here but headers.
///
/// Confined to one thread at a time. `receive` and `drain` must not be called from within each other; they call nobody
/// back, so that cannot happen by accident. Memory is bounded by ``HTTP2SessionLimits`` and by what the user announces.
package final class HTTP2Session {
    package enum Role: Hashable, Sendable { case server, client }

    package let role: Role
    package let limits: HTTP2SessionLimits
    /// What ``drain(byteCountMax:)`` serialized and ``discardOutput()`` has not discarded yet.
    package internal(set) var output = HTTP2Output()
    /// Since when a header block has been incomplete.
    package internal(set) var headersPendingSince: MonotonicTime?
    /// The peer's first SETTINGS have arrived: it does speak HTTP/2.
    package internal(set) var hasPeerSettings = false
    /// The peer has acknowledged ours: they bind it.
    package internal(set) var isAcknowledged = false
    /// Why no more input is taken; a flood may also show in what is sent.
    package internal(set) var failure: HTTP2SessionError?
    /// What the last GOAWAY sent says; `nil` until there is one.
    package internal(set) var sentGoAway: HTTP2FailureCode?

    var events: [HTTP2Event] = []
    var streams: [HTTP2StreamID: SessionStream] = [:]
    /// The stream looked up last: most calls come in runs.
    var recentStream: SessionStream?
    /// Server: the last that the peer opened.
    var lastStream: HTTP2StreamID = 0
    var now = MonotonicTime.zero
    /// Start of the input while `receive` runs.
    var inputStart: UnsafePointer<UInt8>?
    /// More streams were reset than the budget allows, which showed while output was serialized.
    var hasSentTooManyResets = false
    /// Set by the DATA callback when it has made `drain` stop.
    var isPaused = false
    var outputByteCountMax = 0
    var budgets: Budgets
    /// The frames that came in, and those of the current input that nghttp2 told of.
    private var scanner: FrameScanner
    var toldFrames = FrameTally()
    /// Server: of the last HEADERS nothing has been told but that they began.
    var isHeadUntold = false
    /// What ``ping(_:)`` said and no answer has repeated, oldest first.
    var unansweredPings: [UInt64] = []
    private let session: OpaquePointer
    private var scratch: [UInt8] = []
    private var headerPointers: [nghttp2_nv] = []

    struct Budgets {
        var pings, settings, emptyData, resets, priorities, windowUpdates: RateBudget
        var goAways, unknownFrames, oversizedHeaders, pongs: RateBudget
        var closedStreams: ClosedStreamBudget
        init(_ limits: HTTP2SessionLimits) {
            self.pings = limits.pings
            self.settings = limits.settings
            self.emptyData = limits.emptyData
            self.resets = limits.resets
            self.priorities = limits.priorities
            self.windowUpdates = limits.windowUpdates
            self.goAways = limits.goAways
            self.unknownFrames = limits.unknownFrames
            self.oversizedHeaders = limits.oversizedHeaders
            self.pongs = limits.pongs
            self.closedStreams = ClosedStreamBudget(
                rate: limits.closedStreams, inFlightByteCountMax: Int(limits.connectionWindowByteCount))
        }
    }

    /// The preface and the SETTINGS are queued for the first ``drain(byteCountMax:)``.
    ///
    /// - Throws: ``HTTP2SessionError/outOfMemory``.
    package init(role: Role, limits: HTTP2SessionLimits) throws(HTTP2SessionError) {
        self.role = role
        self.limits = limits
        self.budgets = Budgets(limits)
        self.scanner = FrameScanner(prefaceByteCount: role == .server ? Int(NGHTTP2_CLIENT_MAGIC_LEN) : 0)
        guard let session = SessionCallbacks.makeSession(role: role, limits: limits) else { throw .outOfMemory }
        self.session = session
        // Unretained: the pointer is used only inside `receive` and `drain`, while `self` is alive.
        nghttp2_session_set_user_data(session, Unmanaged.passUnretained(self).toOpaque())
        try self.submitSettings()
    }

    deinit { nghttp2_session_del(self.session) }

    private func submitSettings() throws(HTTP2SessionError) {
        let window = min(self.limits.streamWindowByteCount, UInt32(Int32.max))
        var entries = [
            Self.setting(NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, window),
            Self.setting(
                NGHTTP2_SETTINGS_MAX_FRAME_SIZE, min(max(self.limits.frameByteCountMax, 1 << 14), 1 << 24 - 1)),
            Self.setting(
                NGHTTP2_SETTINGS_MAX_HEADER_LIST_SIZE, UInt32(clamping: self.limits.headerListByteCountMax)),
            Self.setting(NGHTTP2_SETTINGS_HEADER_TABLE_SIZE, self.limits.headerTableByteCount),
        ]
        switch self.role {
        case .server:
            entries.append(Self.setting(NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, self.limits.maxConcurrentStreams))
        case .client:
            entries.append(Self.setting(NGHTTP2_SETTINGS_ENABLE_PUSH, 0))
        }
        let connectionWindow = Int32(clamping: max(self.limits.connectionWindowByteCount, 65_535))
        guard
            nghttp2_submit_settings(self.session, UInt8(NGHTTP2_FLAG_NONE.rawValue), entries, entries.count) == 0,
            nghttp2_session_set_local_window_size(self.session, UInt8(NGHTTP2_FLAG_NONE.rawValue), 0, connectionWindow)
                == 0
        else { throw .outOfMemory }
    }

    private static func setting(_ id: nghttp2_settings_id, _ value: UInt32) -> nghttp2_settings_entry {
        nghttp2_settings_entry(settings_id: Int32(id.rawValue), value: value)
    }

    // MARK: In

    /// Takes bytes from the peer. What they mean is in ``takeEvents(into:)`` afterwards, also when this throws.
    ///
    /// - Parameters:
    ///   - input: Any cut of the byte stream; the ranges in `body` events count from its start.
    ///   - now: For the rate budgets.
    /// - Throws: ``HTTP2SessionError``; no more input is taken then, and the output still holds a GOAWAY.
    package func receive(_ input: UnsafeRawBufferPointer, now: MonotonicTime) throws(HTTP2SessionError) {
        if let failure = self.failure { throw failure }
        guard let start = input.baseAddress, input.count > 0 else { return }
        self.now = now
        let bytes = start.assumingMemoryBound(to: UInt8.self)
        self.inputStart = bytes
        self.toldFrames = FrameTally()
        let frames = self.scanner.scan(input)
        let taken = nghttp2_session_mem_recv(self.session, bytes, input.count)
        self.inputStart = nil
        if let failure = self.failure { throw failure }
        guard taken >= 0 else { throw self.fail(with: taken) }
        try self.charge(untold: frames - self.toldFrames)
        guard self.role == .server, self.unsentFrameCount > self.limits.unsentFramesMax else { return }
        throw self.failFlooded(.unread)
    }

    /// Frames other than DATA that are ready or wait for the peer's window or limit.
    var unsentFrameCount: Int { nghttp2_session_get_outbound_queue_size(self.session) }

    private func fail(with code: Int) -> HTTP2SessionError {
        let error: HTTP2SessionError
        switch Int32(clamping: code) {
        case NGHTTP2_ERR_BAD_CLIENT_MAGIC.rawValue: error = .badPreface
        case NGHTTP2_ERR_NOMEM.rawValue: error = .outOfMemory
        case NGHTTP2_ERR_FLOODED.rawValue: error = .flood(.acknowledgement)
        case NGHTTP2_ERR_TOO_MANY_CONTINUATIONS.rawValue: error = .flood(.continuation)
        case let other: error = .violation(code: other)
        }
        self.failure = error
        nghttp2_session_terminate_session(
            self.session, error == .badPreface ? NGHTTP2_PROTOCOL_ERROR.rawValue : NGHTTP2_ENHANCE_YOUR_CALM.rawValue)
        return error
    }

    /// Ends the session for too much of `flood`.
    @discardableResult
    func failFlooded(_ flood: HTTP2Flood) -> HTTP2SessionError {
        self.failure = .flood(flood)
        nghttp2_session_terminate_session(self.session, NGHTTP2_ENHANCE_YOUR_CALM.rawValue)
        return .flood(flood)
    }

    /// Swaps the events gathered so far with `events`, which is emptied first.
    package func takeEvents(into events: inout [HTTP2Event]) {
        events.removeAll(keepingCapacity: true)
        swap(&self.events, &events)
    }

    package var hasEvents: Bool { !self.events.isEmpty }

    /// Gives the peer credit for bytes of a `body` event, on the stream and on the connection.
    package func consume(_ stream: HTTP2StreamID, byteCount: Int) {
        guard byteCount > 0 else { return }
        nghttp2_session_consume(self.session, stream, byteCount)
    }

    // MARK: Out

    /// Serializes what is ready into ``output`` until it holds `byteCountMax` bytes (and at most one frame more).
    ///
    /// - Returns: `true` when it stopped for `byteCountMax` and more may be ready.
    package func drain(byteCountMax: Int) -> Bool {
        self.outputByteCountMax = byteCountMax
        while self.output.byteCount < byteCountMax {
            self.isPaused = false
            var bytes: UnsafePointer<UInt8>?
            let count = nghttp2_session_mem_send(self.session, &bytes)
            if count < 0 {
                if self.failure == nil { self.failure = .violation(code: Int32(clamping: count)) }
                return false
            }
            if let bytes, count > 0 { self.output.append(UnsafeBufferPointer(start: bytes, count: count)) }
            if self.hasSentTooManyResets {
                self.hasSentTooManyResets = false
                if self.failure == nil { self.failFlooded(.reset) }
            }
            if count == 0 && !self.isPaused { return false }
        }
        return true
    }

    package func discardOutput() { self.output.removeAll() }

    /// Nothing more to say and nothing more to hear: the connection can be closed.
    package var isFinished: Bool {
        nghttp2_session_want_write(self.session) == 0
            && (self.failure != nil || nghttp2_session_want_read(self.session) == 0)
    }

    /// Sends a response head; once per stream.
    ///
    /// - Returns: `false` when the stream is gone, which its `closed` event says too.
    @discardableResult
    package func respond(to stream: HTTP2StreamID, _ fields: [HTTP2Field], endStream: Bool) -> Bool {
        guard let state = self.stream(stream) else { return false }
        state.isEnding = endStream
        let result = self.withHeaders(fields) { pointer, count in
            if endStream { return nghttp2_submit_response(self.session, stream, pointer, count, nil) }
            var provider = SessionCallbacks.dataProvider
            return nghttp2_submit_response(self.session, stream, pointer, count, &provider)
        }
        return result == 0
    }

    /// Opens a stream. It waits inside the session while the peer's limit of open streams is reached.
    ///
    /// - Throws: ``HTTP2SessionError/closed`` or ``HTTP2SessionError/streamsExhausted``; nothing was submitted then.
    package func request(_ fields: [HTTP2Field], endStream: Bool) throws(HTTP2SessionError) -> HTTP2StreamID {
        guard self.failure == nil, nghttp2_session_check_request_allowed(self.session) != 0 else { throw .closed }
        let result = self.withHeaders(fields) { pointer, count in
            if endStream { return nghttp2_submit_request(self.session, nil, pointer, count, nil, nil) }
            var provider = SessionCallbacks.dataProvider
            return nghttp2_submit_request(self.session, nil, pointer, count, &provider, nil)
        }
        if result == NGHTTP2_ERR_STREAM_ID_NOT_AVAILABLE.rawValue { throw .streamsExhausted }
        guard result > 0 else { throw .closed }
        let state = SessionStream(id: result)
        state.isEnding = endStream
        self.streams[result] = state
        return result
    }

    /// Announces `byteCount` more bytes of the stream's body, after its head; they appear in ``output`` as flow control
    /// allows.
    package func send(bodyOf stream: HTTP2StreamID, byteCount: Int) {
        guard let state = self.stream(stream), !state.isEnding else { return }
        state.queuedByteCount += byteCount
        self.resume(state)
    }

    /// Says that the body is complete, after the head was sent without `endStream`.
    package func end(_ stream: HTTP2StreamID, trailers: [HTTP2Field] = []) {
        guard let state = self.stream(stream), !state.isEnding else { return }
        state.isEnding = true
        state.trailers = trailers
        self.resume(state)
    }

    private func resume(_ state: SessionStream) {
        guard state.isDeferred else { return }
        state.isDeferred = false
        nghttp2_session_resume_data(self.session, state.id)
    }

    /// Gives the stream up; what is queued of its body will not be sent.
    package func reset(_ stream: HTTP2StreamID, _ code: HTTP2FailureCode) {
        if let state = self.stream(stream) {
            self.giveUp(state)
            // The user drops its bytes now, so that no DATA frame may promise them any more.
            state.queuedByteCount = 0
            state.isEnding = false
        }
        nghttp2_submit_rst_stream(self.session, UInt8(NGHTTP2_FLAG_NONE.rawValue), stream, code.rawValue)
    }

    /// What the peer may have sent before it hears of it is no flood.
    func giveUp(_ state: SessionStream) {
        guard !state.isGivenUp else { return }
        state.isGivenUp = true
        guard !state.isEndReceived else { return }
        var window = Int(nghttp2_session_get_stream_local_window_size(self.session, state.id))
        // Our SETTINGS may be where they are in force, and their acknowledgement on its way (RFC 9113 §6.5.3, §6.9.2).
        if !self.isAcknowledged { window += Int(self.limits.streamWindowByteCount) - 65_535 }
        self.budgets.closedStreams.grant(byteCount: window)
    }

    /// The answer is a `pong` event. Of those that are not answered, the last ``HTTP2SessionLimits/unansweredPingsMax`` are known.
    package func ping(_ payload: UInt64) {
        if self.unansweredPings.count == self.limits.unansweredPingsMax { self.unansweredPings.removeFirst() }
        self.unansweredPings.append(payload)
        let bytes = (0..<8).map { UInt8(truncatingIfNeeded: payload >> (56 - 8 * UInt64($0))) }
        nghttp2_submit_ping(self.session, UInt8(NGHTTP2_FLAG_NONE.rawValue), bytes)
    }

    /// Warns the clients that no more requests will be taken soon; those under way are still accepted.
    package func announceShutdown() {
        guard self.role == .server else { return self.refuseNewStreams(.noError) }
        nghttp2_submit_shutdown_notice(self.session)
    }

    /// Takes no more streams; the open ones go on. Once the last is closed, ``isFinished`` is true.
    package func refuseNewStreams(_ code: HTTP2FailureCode) {
        let last = nghttp2_session_get_last_proc_stream_id(self.session)
        nghttp2_submit_goaway(self.session, UInt8(NGHTTP2_FLAG_NONE.rawValue), last, code.rawValue, nil, 0)
    }

    /// Says GOAWAY and nothing more; ``isFinished`` is true once that is drained.
    package func terminate(_ code: HTTP2FailureCode) {
        if self.failure == nil { self.failure = .closed }
        nghttp2_session_terminate_session(self.session, code.rawValue)
    }

    /// Streams of either side that are not closed, those still waiting to be opened included.
    package var openStreamCount: Int { self.streams.count }

    /// A request whose HEADERS were never serialized: the peer cannot know of it.
    package func isUnsent(_ stream: HTTP2StreamID) -> Bool { self.stream(stream)?.isHeadSent == false }

    /// How many streams the peer lets this side have open at once.
    package var peerMaxConcurrentStreams: UInt32 {
        nghttp2_session_get_remote_settings(self.session, NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS)
    }

    // MARK: Helpers

    func stream(_ id: HTTP2StreamID) -> SessionStream? {
        if let recent = self.recentStream, recent.id == id { return recent }
        guard let found = self.streams[id] else { return nil }
        self.recentStream = found
        return found
    }

    func forget(_ id: HTTP2StreamID) -> SessionStream? {
        if self.recentStream?.id == id { self.recentStream = nil }
        return self.streams.removeValue(forKey: id)
    }

    /// Submits the trailers of a stream; called where nghttp2 asks for more of its body.
    func submitTrailers(of state: SessionStream) -> Int32 {
        self.withHeaders(state.trailers) { nghttp2_submit_trailer(self.session, state.id, $0, $1) }
    }

    /// Lays names and values out in one scratch array; nghttp2 copies them before this returns.
    private func withHeaders(_ fields: [HTTP2Field], _ body: (UnsafePointer<nghttp2_nv>?, Int) -> Int32) -> Int32 {
        self.scratch.removeAll(keepingCapacity: true)
        for field in fields {
            self.scratch.append(contentsOf: field.name.utf8)
            self.scratch.append(contentsOf: field.value.utf8)
        }
        self.headerPointers.removeAll(keepingCapacity: true)
        return self.scratch.withUnsafeMutableBufferPointer { scratch in
            guard var next = scratch.baseAddress else { return body(nil, 0) }
            for field in fields {
                let (nameCount, valueCount) = (field.name.utf8.count, field.value.utf8.count)
                // A credential never enters the compression table (RFC 7541 §7.1.3).
                let flags = field.name == "authorization" ? NGHTTP2_NV_FLAG_NO_INDEX : NGHTTP2_NV_FLAG_NONE
                self.headerPointers.append(
                    nghttp2_nv(
                        name: next, value: next + nameCount, namelen: nameCount, valuelen: valueCount,
                        flags: UInt8(flags.rawValue)))
                next += nameCount + valueCount
            }
            return self.headerPointers.withUnsafeBufferPointer { body($0.baseAddress, $0.count) }
        }
    }
}
