import Foundation

/// A test that did not run, where all have to.
package struct SkippedTest: Error, CustomStringConvertible {
    package var reason: String
    package var description: String { "skipped, where HOLDFAST_TESTS_COMPLETE wants all tests: \(self.reason)" }

    /// Says that a test is left out for want of a program that this machine does not have.
    ///
    /// - Throws: Itself with `HOLDFAST_TESTS_COMPLETE=1`, as `.ci/run` has it: then the test fails.
    package static func note(
        _ reason: String, environment: [String: String] = ProcessInfo.processInfo.environment
    ) throws(SkippedTest) {
        guard environment["HOLDFAST_TESTS_COMPLETE"] != "1" else { throw SkippedTest(reason: reason) }
        print("skipped: \(reason)")
    }
}
