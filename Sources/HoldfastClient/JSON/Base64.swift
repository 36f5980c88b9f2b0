import FoundationEssentials
import LogModel

/// RFC 4648 §4, with padding.
package enum Base64 {
    package static func encode(_ bytes: Bytes) -> String { Data(bytes).base64EncodedString() }

    package static func decode(_ text: String) -> Bytes? {
        Data(base64Encoded: text).map { Bytes($0) }
    }
}
