/// The unit of one node: what it needs is allowed, and nothing else.
///
/// `Type=notify` and not `notify-reload`, which systemd knows from version 253 on only. `/proc` stays whole: recovery
/// compares the kernel's boot id with that of the last start.
struct SystemdUnit {
    var binary: String
    var config: String
    var user: String

    var text: String {
        """
        # Made by: holdfast generate systemd
        [Unit]
        Description=Holdfast, one node of a replicated log
        Documentation=man:holdfast(1)
        Wants=network-online.target
        After=network-online.target
        StartLimitIntervalSec=5min
        StartLimitBurst=5

        [Service]
        Type=notify
        ExecStart=\(self.binary) serve --config \(self.config)
        ExecReload=/bin/kill -HUP $MAINPID
        User=\(self.user)
        Group=\(self.user)
        StateDirectory=\(self.user)
        StateDirectoryMode=0700
        WorkingDirectory=/var/lib/\(self.user)
        UMask=0077

        # Ready after recovery, which asks for more time while it reads; alive while both event loops and the disk answer.
        TimeoutStartSec=90s
        WatchdogSec=30s
        # Leadership is handed over, clients end what they have begun, the log is synced.
        TimeoutStopSec=30s
        KillMode=mixed
        Restart=on-failure
        RestartSec=1s
        # A wrong command line or configuration, damaged data, and what is not allowed stay so after a restart.
        RestartPreventExitStatus=64 65 77 78

        # A descriptor for each connection and each segment that is read.
        LimitNOFILE=65536
        OOMScoreAdjust=-500

        \(Self.confinement)

        [Install]
        WantedBy=multi-user.target

        """
    }

    private static let confinement = """
        NoNewPrivileges=yes
        CapabilityBoundingSet=
        AmbientCapabilities=
        ProtectSystem=strict
        ProtectHome=yes
        ProtectProc=invisible
        ProtectClock=yes
        ProtectControlGroups=yes
        ProtectHostname=yes
        ProtectKernelLogs=yes
        ProtectKernelModules=yes
        ProtectKernelTunables=yes
        PrivateDevices=yes
        PrivateTmp=yes
        PrivateUsers=yes
        DevicePolicy=closed
        RemoveIPC=yes
        LockPersonality=yes
        MemoryDenyWriteExecute=yes
        RestrictAddressFamilies=AF_INET AF_INET6 AF_UNIX
        RestrictNamespaces=yes
        RestrictRealtime=yes
        RestrictSUIDSGID=yes
        SystemCallArchitectures=native
        SystemCallFilter=@system-service
        SystemCallFilter=~@privileged @resources
        # Swift's runtime sets the priorities of its own threads.
        SystemCallFilter=setpriority
        SystemCallErrorNumber=EPERM
        """

    /// What needs no quotes in a unit, whose quotes are not a shell's.
    static func isPlainPath(_ path: String) -> Bool {
        path.hasPrefix("/")
            && path.utf8.allSatisfy { $0 == UInt8(ascii: "/") || Self.isPlain($0) || $0 == UInt8(ascii: ".") }
    }

    static func isPlainName(_ name: String) -> Bool {
        !name.isEmpty && name.utf8.count <= 32 && name.utf8.allSatisfy(Self.isPlain) && name == name.lowercased()
    }

    private static func isPlain(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "_"):
            true
        default: false
        }
    }
}
