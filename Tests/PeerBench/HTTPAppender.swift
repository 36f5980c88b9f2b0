import HTTP2Transport
import HTTPTypes
import HoldfastClient
import NIOCore
import PeerProtocols

/// Appends by HTTP/2: to Holdfast as its own protocol says, to etcd by gRPC. Event loop only.
final class HTTPAppender: Appender {
    enum Dialect {
        case holdfast
        case etcd
    }

    private let dialect: Dialect
    private let connection: HTTP2Connection
    private let single: HTTPRequest
    private let several: HTTPRequest
    private var nextKey = UInt64.random(in: 0 ... .max >> 1)
    /// Whether one answer of Holdfast was looked into: that a quorum has it on disk is what is compared.
    private var isChecked = false

    init(_ dialect: Dialect, on connection: HTTP2Connection, at server: ServerAddress) {
        self.dialect = dialect
        self.connection = connection
        switch dialect {
        case .holdfast:
            self.single = HTTPRequest(
                method: .post, scheme: nil, authority: server.description, path: "/v1/records",
                headerFields: [.contentType: "application/octet-stream"])
            self.several = self.single
        case .etcd:
            self.single = .gRPC(EtcdMessages.putPath, at: server)
            self.several = .gRPC(EtcdMessages.transactionPath, at: server)
        }
    }

    func append(_ records: ArraySlice<ByteBuffer>, told: @escaping (AppendFailure?) -> Void) {
        let body: ByteBuffer
        switch self.dialect {
        case .holdfast:
            precondition(records.count == 1, "batches go through sessions")
            body = records[records.startIndex]
        case .etcd where records.count == 1:
            body = EtcdMessages.put(key: self.nextKey, value: records[records.startIndex])
        case .etcd: body = EtcdMessages.puts(firstKey: self.nextKey, values: records)
        }
        self.nextKey += UInt64(records.count)
        let request = records.count == 1 ? self.single : self.several
        let exchange = Exchange(self.dialect, mustBePersisted: !self.isChecked, told)
        self.isChecked = true
        self.connection.open(request, handler: exchange).send(body, endStream: true)
    }

    func close() { self.connection.close() }

    /// One request under way.
    private final class Exchange: HTTP2ClientHandler {
        private static let bodyByteCountMax = 64 << 10

        private let dialect: Dialect
        private let mustBePersisted: Bool
        private var told: ((AppendFailure?) -> Void)?
        private var head: HTTPResponse?
        private var body = ByteBuffer()

        init(_ dialect: Dialect, mustBePersisted: Bool, _ told: @escaping (AppendFailure?) -> Void) {
            self.dialect = dialect
            self.mustBePersisted = mustBePersisted
            self.told = told
        }

        func received(head: HTTPResponse, on stream: HTTP2Stream) { self.head = head }

        func received(body: ByteBuffer, on stream: HTTP2Stream) {
            guard self.body.readableBytes + body.readableBytes <= Self.bodyByteCountMax else { return stream.reset() }
            self.body.writeImmutableBuffer(body)
        }

        func receivedEnd(trailers: HTTPFields, on stream: HTTP2Stream) {
            self.tell(self.failure(trailers))
        }

        func closed(_ reason: HTTP2CloseReason, on stream: HTTP2Stream) {
            switch reason {
            case .reset(let code): self.tell(.refused("reset: \(code)"))
            case .finished, .refused, .connectionLost, .cancelled, .timedOut: self.tell(.connectionLost)
            }
        }

        private func failure(_ trailers: HTTPFields) -> AppendFailure? {
            guard let head else { return .refused("an answer without a head") }
            switch self.dialect {
            case .holdfast:
                guard head.status == .created else { return .refused("\(head.status): \(String(buffer: self.body))") }
                guard self.mustBePersisted, !String(buffer: self.body).contains(#""durability":"persisted""#) else {
                    return nil
                }
                return .refused("acknowledged, but not persisted: \(String(buffer: self.body))")
            case .etcd:
                // A refusal may say so in its only header block.
                let status = trailers[.gRPCStatus] ?? head.headerFields[.gRPCStatus]
                if head.status == .ok, status == "0" { return nil }
                let reason = trailers[.gRPCMessage] ?? head.headerFields[.gRPCMessage] ?? "\(head.status)"
                return .refused("grpc-status \(status ?? "-"): \(reason)")
            }
        }

        private func tell(_ failure: AppendFailure?) {
            let told = self.told
            self.told = nil
            told?(failure)
        }
    }
}

extension HTTPRequest {
    static func gRPC(_ path: String, at server: ServerAddress) -> HTTPRequest {
        HTTPRequest(
            method: .post, scheme: nil, authority: server.description, path: path,
            headerFields: [.contentType: "application/grpc", .te: "trailers"])
    }
}

extension HTTPField.Name {
    static var te: Self { Self("te")! }
    static var gRPCStatus: Self { Self("grpc-status")! }
    static var gRPCMessage: Self { Self("grpc-message")! }
}
