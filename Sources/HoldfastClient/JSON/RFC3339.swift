import LogModel

/// Timestamps as people and programs read them: `2026-11-22T19:20:00.123456789Z`, always UTC and
/// always nine digits, so that texts sort as times do and no nanosecond is lost.
package enum RFC3339 {
    package static func text(_ timestamp: Timestamp) -> String {
        let seconds = timestamp.nanoseconds / 1_000_000_000
        let (year, month, day) = Self.date(ofDay: Int(seconds / 86_400))
        let time = Int(seconds % 86_400)
        return "\(Self.padded(year, 4))-\(Self.padded(month, 2))-\(Self.padded(day, 2))T"
            + "\(Self.padded(time / 3600, 2)):\(Self.padded(time / 60 % 60, 2)):\(Self.padded(time % 60, 2))."
            + "\(Self.padded(Int(timestamp.nanoseconds % 1_000_000_000), 9))Z"
    }

    /// - Returns: `nil` for anything but the form that ``text(_:)`` writes.
    package static func timestamp(_ text: String) -> Timestamp? {
        let bytes = Array(text.utf8)
        let separators: [(Int, Character)] = [
            (4, "-"), (7, "-"), (10, "T"), (13, ":"), (16, ":"), (19, "."), (29, "Z"),
        ]
        guard bytes.count == 30, separators.allSatisfy({ bytes[$0.0] == $0.1.asciiValue }) else { return nil }
        func number(_ range: Range<Int>) -> Int? {
            bytes[range].reduce(Int?.some(0)) { sum, byte in
                guard let sum, (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) else { return nil }
                return sum * 10 + Int(byte - UInt8(ascii: "0"))
            }
        }
        guard
            let year = number(0..<4), let month = number(5..<7), let day = number(8..<10),
            let hour = number(11..<13), let minute = number(14..<16), let second = number(17..<19),
            let fraction = number(20..<29), year >= 1970, year < 2554, (1...12).contains(month),
            (1...31).contains(day), hour < 24, minute < 60, second < 60
        else { return nil }
        let dayNumber = Self.day(year: year, month: month, day: day)
        // February 30 would be a day of March.
        guard day <= 28 || Self.date(ofDay: dayNumber).day == day else { return nil }
        let seconds = dayNumber * 86_400 + hour * 3600 + minute * 60 + second
        return Timestamp(nanoseconds: UInt64(seconds) * 1_000_000_000 + UInt64(fraction))
    }

    /// The same form, or less of it, as a person types it: `2026-11-22`, `2026-11-22T19:20`, `2026-11-22 19:20:00.5Z`. UTC.
    package static func moment(_ text: String) -> Timestamp? {
        let parts = text.split(maxSplits: 1, omittingEmptySubsequences: false) { $0 == "T" || $0 == " " }
        guard let date = parts.first else { return nil }
        guard parts.count == 2 else { return self.timestamp("\(date)T00:00:00.000000000Z") }
        let time = parts[1].hasSuffix("Z") ? parts[1].dropLast() : parts[1]
        let halves = time.split(separator: ".", maxSplits: 1, omittingEmptySubsequences: false)
        guard let whole = halves.first, halves.count == 1 || !halves[1].isEmpty else { return nil }
        let fraction = halves.count == 2 ? String(halves[1]) : ""
        let padded = fraction + String(repeating: "0", count: max(0, 9 - fraction.count))
        return self.timestamp("\(date)T\(whole.count == 5 ? "\(whole):00" : whole).\(padded)Z")
    }

    /// Days since 1970-01-01, counted in years that begin in March, so that leap days come last.
    private static func day(year: Int, month: Int, day: Int) -> Int {
        let marchYear = month > 2 ? year : year - 1
        let marchMonth = month > 2 ? month - 3 : month + 9
        let dayOfYear = (153 * marchMonth + 2) / 5 + day - 1
        return marchYear * 365 + marchYear / 4 - marchYear / 100 + marchYear / 400 + dayOfYear - 719_468
    }

    private static func date(ofDay day: Int) -> (year: Int, month: Int, day: Int) {
        // The year is found by estimate and one step of correction: a year is 365.2425 days.
        var year = 1970 + day * 400 / 146_097
        while Self.day(year: year + 1, month: 1, day: 1) <= day { year += 1 }
        while Self.day(year: year, month: 1, day: 1) > day { year -= 1 }
        var month = 12
        while Self.day(year: year, month: month, day: 1) > day { month -= 1 }
        return (year, month, day - Self.day(year: year, month: month, day: 1) + 1)
    }

    private static func padded(_ number: Int, _ width: Int) -> String {
        let digits = String(number)
        return String(repeating: "0", count: max(0, width - digits.count)) + digits
    }
}
