import HTTPTypes
import HoldfastClient
import LogModel
import NIOCore
import ReplicaCore
import SegmentFormat

/// What `POST /v1/records` asks for, still without its body.
struct AppendRequest {
    enum BodyForm: Hashable {
        case oneRecord
        case lines
        case json
        /// A session: many appends of one producer, answered one by one.
        case frames
    }

    var bodyForm: BodyForm
    /// Of a session.
    var producer: UInt64?
    /// By what a repetition is recognised.
    var label: AppendLabel?
    var conditions: AppendConditions
    var acknowledgedBy: AcknowledgedBy

    /// One of a producer's appends, each of which must come behind the one before.
    var isSequenced: Bool {
        if case .producer = self.label { true } else { false }
    }

    static let parameterNames: Set<String> = ["forward", "expect", "ack", "wait"]

    /// - Throws: 400 or 415; nothing was applied.
    init(head: HTTPRequest, _ parameters: QueryParameters) throws(Problem) {
        let fields = try AppendFields(head.headerFields)
        if let encoding = fields.contentEncoding?.lowercased(), encoding != "identity" {
            throw .unsupportedEncoding(encoding)
        }
        self.bodyForm = try Self.bodyForm(of: fields.contentType)
        if self.bodyForm == .frames {
            self.producer = try Self.sessionProducer(of: fields)
        } else {
            self.label = try Self.label(of: fields)
        }
        self.conditions = try Self.conditions(of: fields, parameters)
        self.acknowledgedBy = try Self.acknowledgedBy(parameters)
        guard self.bodyForm == .frames else { return }
        guard self.conditions.expectedNext == nil, self.acknowledgedBy == .quorum else {
            throw .badRequest(
                "a session takes neither an expected index nor ack=all",
                hint: "Send such appends one by one; a session may carry a fencing token.")
        }
    }

    /// `ack=all&wait=2s`: every voter, within two seconds. A longer wait than a commit may take is cut to that.
    private static func acknowledgedBy(_ parameters: QueryParameters) throws(Problem) -> AcknowledgedBy {
        let isByAll = try parameters.value("ack", expected: "quorum or all") { text in
            switch text {
            case "quorum": false
            case "all": true
            default: nil
            }
        }
        let wait = try parameters.wait()
        guard isByAll ?? false else {
            guard wait == nil else {
                throw .badRequest(
                    "wait goes with ack=all", hint: "A quorum is waited for as long as a commit may take.")
            }
            return .quorum
        }
        return .all(withinMilliseconds: wait ?? NodeLimits.waitMillisecondsMax)
    }

    private static func bodyForm(of contentType: String?) throws(Problem) -> BodyForm {
        guard let contentType, contentType != "application/octet-stream" else { return .oneRecord }
        let type = contentType.prefix { $0 != ";" && $0 != " " }.lowercased()
        switch type {
        case "application/octet-stream", "application/x-www-form-urlencoded", "text/plain": return .oneRecord
        case "application/x-ndjson": return .lines
        case "application/json": return .json
        case SessionBatch.contentType: return .frames
        default: throw .unsupportedMediaType(type)
        }
    }

    private static func sessionProducer(of fields: AppendFields) throws(Problem) -> UInt64 {
        guard fields.idempotencyKey == nil, fields.sequence == nil,
            let producer = fields.producer.flatMap({ UInt64($0) }), producer > 0
        else {
            throw .badRequest(
                "a session needs a Holdfast-Producer, a whole number from 1, and no Idempotency-Key or Holdfast-Sequence",
                hint: "Draw a random 64-bit producer; each batch carries its own sequence.")
        }
        return producer
    }

    private static func label(of fields: AppendFields) throws(Problem) -> AppendLabel? {
        let producer = try Self.producer(of: fields)
        guard let key = fields.idempotencyKey else { return producer.map { .producer($0) } }
        guard producer == nil else {
            throw .badRequest(
                "Idempotency-Key and Holdfast-Producer are two names for one append", hint: "Send one of them.")
        }
        guard (1...NodeLimits.idempotencyKeyByteCountMax).contains(key.utf8.count) else {
            throw .badRequest(
                "the Idempotency-Key has \(key.utf8.count) bytes",
                hint: "Send 1 to \(NodeLimits.idempotencyKeyByteCountMax): a UUID, say, drawn once per append.")
        }
        return .key(IdempotencyKey(hashing: key))
    }

    private static func conditions(
        of fields: AppendFields, _ parameters: QueryParameters
    ) throws(Problem) -> AppendConditions {
        var expected = try parameters.value("expect", expected: "an index, a whole number from 1") {
            UInt64($0).flatMap { $0 > 0 ? LogIndex($0) : nil }
        }
        if let tag = fields.ifMatch {
            guard tag.count > 2, tag.first == "\"", tag.last == "\"", let index = UInt64(tag.dropFirst().dropLast()),
                index > 0
            else {
                throw .badRequest(
                    "If-Match: \(tag) is not understood",
                    hint: "Send the ETag of HEAD /v1/records: the next index in quotes.")
            }
            guard expected == nil || expected == LogIndex(index) else {
                throw .badRequest("expect and If-Match name two indexes", hint: "Send one of them.")
            }
            expected = LogIndex(index)
        }
        var token: UInt64?
        if let text = fields.fencingToken {
            token = UInt64(text)
            guard token != nil else {
                throw .badRequest(
                    "Holdfast-Fencing-Token: \(text) is not understood", hint: "It is a whole number of 64 bits.")
            }
        }
        return AppendConditions(expectedNext: expected, fencingToken: token)
    }

    private static func producer(of fields: AppendFields) throws(Problem) -> ProducerSequence? {
        switch (fields.producer, fields.sequence) {
        case (nil, nil): return nil
        case (let producer?, let sequence?):
            guard let producer = UInt64(producer), let sequence = UInt64(sequence), producer > 0, sequence > 0 else {
                throw .badRequest(
                    "Holdfast-Producer and Holdfast-Sequence must be whole numbers from 1",
                    hint: "Draw a random 64-bit producer once per run; count sequences from 1.")
            }
            return ProducerSequence(producer: producer, sequence: sequence)
        default:
            throw .badRequest(
                "Holdfast-Producer and Holdfast-Sequence go together", hint: "Send both headers or none.")
        }
    }

    /// The frame that the body asks for: one request is one frame, so it is in the log whole or not at all.
    ///
    /// - Throws: 400 or 413; nothing was applied.
    func draft(body: ByteBuffer) throws(Problem) -> FrameDraft {
        let records = try self.records(body: body)
        guard !records.isEmpty else {
            throw .badRequest("the request holds no record", hint: "Send at least one record.")
        }
        guard records.count <= NodeLimits.recordsPerAppendMax else { throw .tooManyRecords(records.count) }
        do {
            return try FrameDraft.records(records, label: self.label)
        } catch {
            throw .invalidRecord(error)
        }
    }

    private func records(body: ByteBuffer) throws(Problem) -> [Record] {
        switch self.bodyForm {
        case .oneRecord:
            return [Record(value: Bytes(body.readableBytesView))]
        case .lines:
            // The last line need not end; a blank one is no record.
            return Bytes(body.readableBytesView).split(separator: UInt8(ascii: "\n")).map { Record(value: $0) }
        case .json:
            let bytes = Bytes(body.readableBytesView)
            do { return try JSONReader.records(of: bytes) } catch {
                throw .badBody(
                    "a batch of records", error, of: bytes,
                    hint:
                        #"Send {"records":["text",{"key":"k","value":"v"},{"valueBase64":"AAE="}]} or the array alone."#
                )
            }
        case .frames:
            preconditionFailure("a session's body is not one append")
        }
    }
}
