import CNGHTTP2

/// What nghttp2 asks while it serializes output.
extension HTTP2Session {
    private static let endStream = UInt8(NGHTTP2_FLAG_END_STREAM.rawValue)

    /// How much of the stream's body goes into the next DATA frame, and whether it is the last.
    func nextBody(of id: HTTP2StreamID, byteCountMax: Int, flags: inout UInt32) -> Int {
        guard let state = self.stream(id) else { return Int(NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE.rawValue) }
        let count = min(state.queuedByteCount, byteCountMax)
        let isLast = state.isEnding && count == state.queuedByteCount
        if count == 0 && !isLast {
            state.isDeferred = true
            return Int(NGHTTP2_ERR_DEFERRED.rawValue)
        }
        if count > 0 { flags |= NGHTTP2_DATA_FLAG_NO_COPY.rawValue }
        if isLast {
            flags |= NGHTTP2_DATA_FLAG_EOF.rawValue
            if !state.trailers.isEmpty {
                flags |= NGHTTP2_DATA_FLAG_NO_END_STREAM.rawValue
                guard self.submitTrailers(of: state) == 0 else {
                    return Int(NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE.rawValue)
                }
            }
        }
        return count
    }

    /// Puts one DATA frame into the output: its header, and a note whose body follows.
    func sendBody(of id: HTTP2StreamID, byteCount: Int, frameHeader: UnsafeBufferPointer<UInt8>) -> Int32 {
        guard let state = self.stream(id) else { return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE.rawValue }
        self.output.append(frameHeader)
        self.output.append(bodyOf: id, byteCount: byteCount)
        state.queuedByteCount -= byteCount
        guard self.output.byteCount >= self.outputByteCountMax else { return 0 }
        self.isPaused = true
        return NGHTTP2_ERR_PAUSE.rawValue
    }

    func sent(_ frame: nghttp2_frame) -> Int32 {
        switch UInt32(frame.hd.type) {
        case NGHTTP2_DATA.rawValue: self.budgets.windowUpdates.earn(4)
        case NGHTTP2_HEADERS.rawValue: self.stream(frame.hd.stream_id)?.isHeadSent = true
        case NGHTTP2_RST_STREAM.rawValue:
            // nghttp2 resets by itself a stream on which a rule was broken.
            if let state = self.stream(frame.hd.stream_id) { self.giveUp(state) }
            guard self.role == .server else { return 0 }
            // A client may reset its own streams as it likes. nghttp2 must not be left amid a frame: `drain` fails later.
            if !self.budgets.resets.spend(now: self.now) { self.hasSentTooManyResets = true }
            return 0
        case NGHTTP2_GOAWAY.rawValue:
            self.sentGoAway = HTTP2FailureCode(rawValue: frame.goaway.error_code)
            return 0
        default: return 0
        }
        // A response that ended before the request did: the rest is not wanted (RFC 9113 §8.1).
        if self.role == .server, frame.hd.flags & Self.endStream != 0,
            let state = self.stream(frame.hd.stream_id), !state.isEndReceived
        {
            self.reset(state.id, .noError)
        }
        return 0
    }
}
