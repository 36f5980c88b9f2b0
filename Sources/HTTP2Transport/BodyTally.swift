/// What the handlers of one connection keep of its requests' bodies; theirs to count. Event loop only.
package final class BodyTally {
    /// Held, for whatever came.
    package var looseByteCount = 0
    /// Promised to bodies that may come whole.
    package var reservedByteCount = 0

    package init() {}
}
