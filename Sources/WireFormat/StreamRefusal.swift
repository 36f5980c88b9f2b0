import LogModel

/// Why a follower does not take a leader's stream or range.
package enum StreamRefusal: Hashable, Sendable {
    case staleTerm
    case wrongCluster
    /// The peer is another node than was asked for.
    case wrongNode
    /// The membership names another incarnation of the node.
    case wrongIncarnation
    /// The range does not continue the follower's log, which ends here.
    case mismatch(at: LogPoint)
    /// The range's bytes fail their checks.
    case damaged
    case notReady
    case diskFull
    case limits

    init(reading reader: inout WireReader, code: UInt8) throws(WireError) {
        switch code {
        case 1: self = .staleTerm
        case 2: self = .wrongCluster
        case 3: self = .wrongNode
        case 4: self = .wrongIncarnation
        case 5: self = .mismatch(at: try reader.point())
        case 6: self = .damaged
        case 7: self = .notReady
        case 8: self = .diskFull
        case 9: self = .limits
        default: throw .badValue(.refusal)
        }
    }

    /// 0 stands for no refusal.
    static func read(_ reader: inout WireReader) throws(WireError) -> StreamRefusal? {
        let code: UInt8 = try reader.integer()
        return code == 0 ? nil : try StreamRefusal(reading: &reader, code: code)
    }

    private var code: UInt8 {
        switch self {
        case .staleTerm: 1
        case .wrongCluster: 2
        case .wrongNode: 3
        case .wrongIncarnation: 4
        case .mismatch: 5
        case .damaged: 6
        case .notReady: 7
        case .diskFull: 8
        case .limits: 9
        }
    }

    static func encode(_ refusal: StreamRefusal?, into bytes: inout [UInt8]) {
        bytes.append(refusal?.code ?? 0)
        if case .mismatch(let point) = refusal { bytes.put(point) }
    }
}
