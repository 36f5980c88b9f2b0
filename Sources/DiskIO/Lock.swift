import Synchronization

/// The lock around small shared states; never held over a system call that waits, or an `await`.
///
/// An alias, so that a build for ThreadSanitizer, which does not understand `Mutex`, can put another under it.
package typealias Lock = Mutex
