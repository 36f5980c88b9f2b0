import HoldfastClient

/// Of bodies and batches that come.
extension Problem {
    /// It had not gone on for longest when there was no more room for bodies that are on their way.
    static let gaveWay = Problem(
        .tooManyRequests, .busy,
        "bodies that are on their way take all the room there is for them, and this one had not gone on for longest",
        hint: "Try again, without pauses; send fewer at a time, or smaller ones, if this comes often.",
        fields: [.retryAfter: "1"])

    static func badSession(_ error: FrameError) -> Problem {
        .badRequest("the session does not consist of batches: \(error)", hint: "See Sessions in the documentation.")
    }

    static let badSequence = Problem.badRequest(
        "a batch has the sequence 0", hint: "Sequences count from 1, one for each batch.")

    static let outOfTurn = Problem.badRequest(
        "a batch comes out of turn", hint: "Each sequence is the one before it and 1.")

    static let cutSession = Problem.badRequest(
        "the session ended within a batch", hint: "End it behind a whole one.")
}
