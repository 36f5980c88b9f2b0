import Foundation
import Glibc

/// Why a file operation of Foundation has failed, in the system's own words: Foundation's say most often that it could not
/// be completed.
package struct SystemReason: CustomStringConvertible {
    package let description: String

    package init(_ error: any Error) {
        let error = error as NSError
        let cause = error.userInfo[NSUnderlyingErrorKey] as? NSError ?? error
        self.description =
            cause.domain == NSPOSIXErrorDomain
            ? String(cString: strerror(Int32(cause.code))) : error.localizedDescription
    }
}
