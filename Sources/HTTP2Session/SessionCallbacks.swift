import CNGHTTP2

/// The C edge: makes a session whose callbacks end in methods of ``HTTP2Session``.
enum SessionCallbacks {
    /// - Returns: `nil` when out of memory. User data is still to be set.
    static func makeSession(role: HTTP2Session.Role, limits: HTTP2SessionLimits) -> OpaquePointer? {
        var callbacks: OpaquePointer?
        var option: OpaquePointer?
        guard nghttp2_session_callbacks_new(&callbacks) == 0, nghttp2_option_new(&option) == 0 else { return nil }
        defer {
            nghttp2_session_callbacks_del(callbacks)
            nghttp2_option_del(option)
        }
        Self.install(in: callbacks)
        // Credit is given by `consume`, when the bytes are used.
        nghttp2_option_set_no_auto_window_update(option, 1)
        nghttp2_option_set_no_closed_streams(option, 1)
        nghttp2_option_set_max_settings(option, limits.settingsEntriesMax)
        nghttp2_option_set_max_outbound_ack(option, limits.unsentAcknowledgementsMax)
        nghttp2_option_set_max_continuations(option, limits.continuationFramesMax)
        nghttp2_option_set_max_deflate_dynamic_table_size(option, Int(limits.headerTableByteCount))
        // Otherwise frames of other types are passed over without a word.
        for type in UInt8(NGHTTP2_CONTINUATION.rawValue) + 1...UInt8.max {
            nghttp2_option_set_user_recv_extension_type(option, type)
        }
        // Our own budget counts resets, by the time that comes in; nghttp2's own would read a clock.
        nghttp2_option_set_stream_reset_rate_limit(option, 1 << 40, 1 << 40)
        var session: OpaquePointer?
        let result =
            switch role {
            case .server: nghttp2_session_server_new2(&session, callbacks, nil, option)
            case .client: nghttp2_session_client_new2(&session, callbacks, nil, option)
            }
        return result == 0 ? session : nil
    }

    /// Every body is read the same way: the stream's number says whose it is.
    static var dataProvider: nghttp2_data_provider {
        nghttp2_data_provider(
            source: nghttp2_data_source(),
            read_callback: { _, stream, _, length, flags, _, user in
                guard let session = SessionCallbacks.session(user), let flags else {
                    return SessionCallbacks.failureCount
                }
                return session.nextBody(of: stream, byteCountMax: length, flags: &flags.pointee)
            })
    }

    static let failure = NGHTTP2_ERR_CALLBACK_FAILURE.rawValue
    static let failureCount = Int(NGHTTP2_ERR_CALLBACK_FAILURE.rawValue)

    static func session(_ user: UnsafeMutableRawPointer?) -> HTTP2Session? {
        guard let user else { return nil }
        return Unmanaged<HTTP2Session>.fromOpaque(user).takeUnretainedValue()
    }

    private static func install(in callbacks: OpaquePointer?) {
        nghttp2_session_callbacks_set_on_begin_frame_callback(callbacks) { _, header, user in
            guard let session = SessionCallbacks.session(user), let header else { return SessionCallbacks.failure }
            return session.frameBegan(header.pointee)
        }
        nghttp2_session_callbacks_set_on_begin_headers_callback(callbacks) { _, frame, user in
            guard let session = SessionCallbacks.session(user), let frame else { return SessionCallbacks.failure }
            return session.headersBegan(frame.pointee)
        }
        nghttp2_session_callbacks_set_on_header_callback(callbacks) {
            _, frame, name, nameCount, value, valueCount, _, user in
            guard let session = SessionCallbacks.session(user), let frame else { return SessionCallbacks.failure }
            return session.received(
                name: UnsafeBufferPointer(start: name, count: nameCount),
                value: UnsafeBufferPointer(start: value, count: valueCount), of: frame.pointee.hd.stream_id)
        }
        nghttp2_session_callbacks_set_unpack_extension_callback(callbacks) { _, _, _, _ in
            NGHTTP2_ERR_CANCEL.rawValue
        }
        // Without it, nghttp2 drops a field with CR, LF or NUL in it and passes the others on.
        nghttp2_session_callbacks_set_on_invalid_header_callback(callbacks) { _, _, _, _, _, _, _, _ in
            NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE.rawValue
        }
        nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks) { _, _, stream, bytes, count, user in
            guard let session = SessionCallbacks.session(user), let bytes else { return SessionCallbacks.failure }
            return session.received(body: bytes, byteCount: count, of: stream)
        }
        nghttp2_session_callbacks_set_on_frame_recv_callback(callbacks) { _, frame, user in
            guard let session = SessionCallbacks.session(user), let frame else { return SessionCallbacks.failure }
            return session.received(frame.pointee)
        }
        nghttp2_session_callbacks_set_on_invalid_frame_recv_callback(callbacks) { _, _, _, user in
            guard let session = SessionCallbacks.session(user) else { return SessionCallbacks.failure }
            return session.receivedInvalidFrame()
        }
        nghttp2_session_callbacks_set_on_stream_close_callback(callbacks) { _, stream, code, user in
            guard let session = SessionCallbacks.session(user) else { return SessionCallbacks.failure }
            return session.closed(stream, HTTP2FailureCode(rawValue: code))
        }
        nghttp2_session_callbacks_set_on_frame_send_callback(callbacks) { _, frame, user in
            guard let session = SessionCallbacks.session(user), let frame else { return SessionCallbacks.failure }
            return session.sent(frame.pointee)
        }
        nghttp2_session_callbacks_set_send_data_callback(callbacks) { _, frame, header, count, _, user in
            guard let session = SessionCallbacks.session(user), let frame, let header else {
                return SessionCallbacks.failure
            }
            let bytes = UnsafeBufferPointer(start: header, count: 9)
            return session.sendBody(of: frame.pointee.hd.stream_id, byteCount: count, frameHeader: bytes)
        }
        nghttp2_session_callbacks_set_data_source_read_length_callback(callbacks) {
            _, _, _, connectionWindow, streamWindow, frameByteCountMax, user in
            guard let session = SessionCallbacks.session(user) else { return SessionCallbacks.failureCount }
            let windows = Int(min(connectionWindow, streamWindow))
            return min(windows, Int(frameByteCountMax), session.limits.sentFrameByteCountMax)
        }
    }
}
