import TestSupport
import Testing

@testable import HoldfastNode

@Suite struct ServiceNotifierTests {
    @Test(arguments: [false, true])
    func `each message is one datagram as sd_notify has it`(isAbstract: Bool) throws {
        let socket = try NotifySocket(isAbstract: isAbstract)
        let notifier = ServiceNotifier(environment: ["NOTIFY_SOCKET": socket.path])
        for message: ServiceNotifier.Message in [
            .ready, .reloading(monotonicMicroseconds: 7), .stopping, .status("leads\nin term 3"), .watchdog,
            .extend(microseconds: 30),
        ] { notifier.tell(message) }
        #expect(
            socket.take() == [
                "READY=1", "RELOADING=1\nMONOTONIC_USEC=7", "STOPPING=1", "STATUS=leads in term 3", "WATCHDOG=1",
                "EXTEND_TIMEOUT_USEC=30",
            ])
    }

    @Test func `without a socket, or with one that cannot be, nothing happens`() throws {
        let socket = try NotifySocket()
        for path in ["", "relative", "/nowhere/at/all", String(repeating: "/x", count: 200)] {
            ServiceNotifier(environment: ["NOTIFY_SOCKET": path]).tell(.ready)
        }
        ServiceNotifier(environment: [:]).tell(.ready)
        #expect(socket.take().isEmpty)
    }

    @Test func `a watchdog that means another process is none of ours`() {
        let environment = ["NOTIFY_SOCKET": "/s", "WATCHDOG_USEC": "500000"]
        #expect(ServiceNotifier(environment: environment).watchdogMicroseconds == 500_000)
        let own = environment.merging(["WATCHDOG_PID": "4"]) { $1 }
        #expect(ServiceNotifier(environment: own, process: 4).watchdogMicroseconds == 500_000)
        #expect(ServiceNotifier(environment: own, process: 5).watchdogMicroseconds == nil)
        #expect(ServiceNotifier(environment: ["WATCHDOG_USEC": "500000"]).watchdogMicroseconds == nil)
        for nothing in ["0", "", "-1", "soon"] {
            let environment = ["NOTIFY_SOCKET": "/s", "WATCHDOG_USEC": nothing]
            #expect(ServiceNotifier(environment: environment).watchdogMicroseconds == nil, "\(nothing)")
        }
    }

    @Test func `a socket that nobody empties holds nobody up`() throws {
        let socket = try NotifySocket()
        let notifier = ServiceNotifier(environment: ["NOTIFY_SOCKET": socket.path])
        for _ in 0..<5_000 { notifier.tell(.watchdog) }
        let kept = socket.take().count
        #expect(kept > 0 && kept < 5_000)
        notifier.tell(.ready)
        #expect(socket.take() == ["READY=1"])
    }
}
