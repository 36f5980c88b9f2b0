/// What is going to happen, in order of time; of two things at one time, the one that was scheduled first.
struct EventQueue<Event> {
    private struct Entry {
        var time: UInt64
        var number: UInt64
        var event: Event

        func precedes(_ other: Entry) -> Bool {
            self.time == other.time ? self.number < other.number : self.time < other.time
        }
    }

    private var heap: [Entry] = []
    private var lastNumber: UInt64 = 0

    mutating func schedule(_ event: Event, at time: UInt64) {
        self.lastNumber += 1
        self.heap.append(Entry(time: time, number: self.lastNumber, event: event))
        var child = self.heap.count - 1
        while child > 0 {
            let parent = (child - 1) / 2
            guard self.heap[child].precedes(self.heap[parent]) else { break }
            self.heap.swapAt(child, parent)
            child = parent
        }
    }

    mutating func next() -> (time: UInt64, event: Event)? {
        guard let first = self.heap.first, let last = self.heap.popLast() else { return nil }
        guard !self.heap.isEmpty else { return (first.time, first.event) }
        self.heap[0] = last
        var parent = 0
        while true {
            var least = parent
            for child in [2 * parent + 1, 2 * parent + 2] where child < self.heap.count {
                if self.heap[child].precedes(self.heap[least]) { least = child }
            }
            guard least != parent else { break }
            self.heap.swapAt(parent, least)
            parent = least
        }
        return (first.time, first.event)
    }
}
