import CNGHTTP2

/// What nghttp2 tells while it parses input. Nothing here calls the session's user.
extension HTTP2Session {
    private static let success: Int32 = 0
    private static let endStream = UInt8(NGHTTP2_FLAG_END_STREAM.rawValue)
    private static let endHeaders = UInt8(NGHTTP2_FLAG_END_HEADERS.rawValue)
    private static let acknowledgement = UInt8(NGHTTP2_FLAG_ACK.rawValue)

    /// Counts what costs work without being worth it, before the frame's payload is looked at.
    func frameBegan(_ header: nghttp2_frame_hd) -> Int32 {
        let flags = header.flags
        self.toldFrames.add(type: header.type, payloadByteCount: header.length)
        if self.isHeadUntold {
            // The HEADERS before this frame were of a stream that is gone, or of one that we take no more.
            self.isHeadUntold = false
            guard self.budgets.closedStreams.spendHead(now: self.now) else { return self.fail(.closedStream) }
        }
        // Whatever follows, the block before it has ended: nghttp2 says nothing of those that it passes over.
        if UInt32(header.type) != NGHTTP2_CONTINUATION.rawValue { self.headersPendingSince = nil }
        switch UInt32(header.type) {
        case NGHTTP2_HEADERS.rawValue:
            // nghttp2 passes over what comes on a stream that is gone: it may have been on its way when we reset it.
            let isNew = self.role == .server && header.stream_id > self.lastStream
            let isPassedOver = !isNew && self.stream(header.stream_id) == nil
            if !isPassedOver || flags & Self.endHeaders == 0 { self.headersPendingSince = self.now }
            self.isHeadUntold = self.role == .server
            return Self.success
        case NGHTTP2_PING.rawValue where flags & Self.acknowledgement == 0: return self.spend(\.pings, .ping)
        case NGHTTP2_SETTINGS.rawValue where flags & Self.acknowledgement == 0: return self.spend(\.settings, .settings)
        case NGHTTP2_RST_STREAM.rawValue: return self.spend(\.resets, .reset)
        case NGHTTP2_PRIORITY.rawValue: return self.spend(\.priorities, .priority)
        case NGHTTP2_WINDOW_UPDATE.rawValue: return self.spend(\.windowUpdates, .windowUpdate)
        case NGHTTP2_GOAWAY.rawValue: return self.spend(\.goAways, .goAway)
        case 0...NGHTTP2_CONTINUATION.rawValue: return Self.success
        default: return self.spend(\.unknownFrames, .unknownFrame)
        }
    }

    private func spend(_ budget: WritableKeyPath<Budgets, RateBudget>, _ flood: HTTP2Flood) -> Int32 {
        self.budgets[keyPath: budget].spend(now: self.now) ? Self.success : self.fail(flood)
    }

    private func fail(_ flood: HTTP2Flood) -> Int32 {
        self.failFlooded(flood)
        return SessionCallbacks.failure
    }

    /// Bounds what nghttp2 passes over without a word.
    func charge(untold frames: FrameTally) throws(HTTP2SessionError) {
        guard !frames.isEmpty, !self.budgets.closedStreams.spend(frames, now: self.now) else { return }
        let count = self.unsentFrameCount
        self.failFlooded(.closedStream)
        // No GOAWAY was added: nghttp2 has ended the session itself, and passes over all that comes behind.
        if self.unsentFrameCount == count { self.failure = .violation(code: NGHTTP2_ERR_PROTO.rawValue) }
        if let failure = self.failure { throw failure }
    }

    func headersBegan(_ frame: nghttp2_frame) -> Int32 {
        self.isHeadUntold = false
        guard frame.headers.cat == NGHTTP2_HCAT_REQUEST else { return Self.success }
        let state = SessionStream(id: frame.hd.stream_id)
        self.lastStream = state.id
        self.streams[state.id] = state
        self.recentStream = state
        return Self.success
    }

    func received(name: UnsafeBufferPointer<UInt8>, value: UnsafeBufferPointer<UInt8>, of id: HTTP2StreamID) -> Int32 {
        guard let state = self.stream(id) else { return Self.success }
        state.fieldsByteCount += name.count + value.count + 32
        if state.fieldsByteCount > self.limits.headerListByteCountMax {
            // The rest is still decompressed, to keep the table in step, but kept no more.
            guard !state.isOverLimit else { return self.countDecoded(state.fieldsByteCount) }
            state.isOverLimit = true
            state.fields = []
            return self.spend(\.oversizedHeaders, .header)
        }
        state.fields.append(HTTP2Field(String(decoding: name, as: UTF8.self), String(decoding: value, as: UTF8.self)))
        return Self.success
    }

    private func countDecoded(_ byteCount: Int) -> Int32 {
        guard byteCount > self.limits.headerListDecodedByteCountMax else { return Self.success }
        return self.fail(.header)
    }

    func received(body: UnsafePointer<UInt8>, byteCount: Int, of id: HTTP2StreamID) -> Int32 {
        guard let start = self.inputStart else { return SessionCallbacks.failure }
        let offset = body - start
        self.events.append(.body(id, offset..<offset + byteCount))
        return Self.success
    }

    func received(_ frame: nghttp2_frame) -> Int32 {
        switch UInt32(frame.hd.type) {
        case NGHTTP2_HEADERS.rawValue:
            self.headersPendingSince = nil
            self.receivedHeaders(of: frame)
        case NGHTTP2_DATA.rawValue:
            if frame.hd.flags & Self.endStream != 0 {
                self.receivedEnd(of: frame.hd.stream_id, trailers: [])
            } else if frame.hd.length == frame.data.padlen {
                // Nothing, or padding only.
                return self.spend(\.emptyData, .emptyData)
            }
        case NGHTTP2_SETTINGS.rawValue where frame.hd.flags & Self.acknowledgement != 0: self.isAcknowledged = true
        case NGHTTP2_SETTINGS.rawValue:
            self.hasPeerSettings = true
            self.events.append(.settings)
        case NGHTTP2_PING.rawValue where frame.hd.flags & Self.acknowledgement != 0:
            let payload = withUnsafeBytes(of: frame.ping.opaque_data) { $0.reduce(UInt64(0)) { $0 << 8 | UInt64($1) } }
            guard let index = self.unansweredPings.firstIndex(of: payload) else { return self.spend(\.pongs, .pong) }
            self.unansweredPings.remove(at: index)
            self.events.append(.pong(payload))
        case NGHTTP2_GOAWAY.rawValue:
            let debug = UnsafeBufferPointer(start: frame.goaway.opaque_data, count: frame.goaway.opaque_data_len)
            self.events.append(
                .goAway(
                    lastStream: frame.goaway.last_stream_id, HTTP2FailureCode(rawValue: frame.goaway.error_code),
                    debug: String(decoding: debug.prefix(256), as: UTF8.self)))
        default: break
        }
        return Self.success
    }

    private func receivedHeaders(of frame: nghttp2_frame) {
        guard let state = self.stream(frame.hd.stream_id) else { return }
        let isOverLimit = state.isOverLimit
        state.isOverLimit = false
        let fields = state.takeFields()
        if isOverLimit {
            state.isHeadReceived = true
            self.events.append(.headTooLarge(state.id))
        } else if !state.isHeadReceived {
            // 1xx responses only announce the final one.
            if self.role == .client, let status = fields.first, status.name == ":status", status.value.first == "1" {
                return
            }
            state.isHeadReceived = true
            self.events.append(.head(state.id, fields))
        } else {
            return self.receivedEnd(of: state.id, trailers: fields)
        }
        if frame.hd.flags & Self.endStream != 0 { self.receivedEnd(of: state.id, trailers: []) }
    }

    private func receivedEnd(of id: HTTP2StreamID, trailers: [HTTP2Field]) {
        guard let state = self.stream(id), !state.isEndReceived else { return }
        state.isEndReceived = true
        self.events.append(.end(id, trailers: trailers))
    }

    /// A frame that resets its stream or ends the connection by nghttp2's own judgement: it counts like a reset. A server
    /// counts the resets themselves, where they are sent, since not all of them come from here.
    func receivedInvalidFrame() -> Int32 {
        self.headersPendingSince = nil
        return self.role == .client ? self.spend(\.resets, .reset) : Self.success
    }

    func closed(_ id: HTTP2StreamID, _ code: HTTP2FailureCode) -> Int32 {
        guard let state = self.forget(id) else { return Self.success }
        let isUnprocessed = self.role == .client && (!state.isHeadSent || code == .refusedStream)
        self.events.append(.closed(id, code, isUnprocessed: isUnprocessed))
        return Self.success
    }
}
