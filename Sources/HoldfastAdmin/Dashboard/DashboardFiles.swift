import HTTPTypes
import Hummingbird

/// The files of `Dashboard/`, which are part of the program: nothing has to be installed beside it.
enum DashboardFiles {
    private struct File {
        var path: RouterPath
        var type: String
        var bytes: [UInt8]

        static func style(_ name: String, _ bytes: [UInt8]) -> File {
            File(path: RouterPath("dashboard/\(name).css"), type: "text/css; charset=utf-8", bytes: bytes)
        }

        static func module(_ name: String, _ bytes: [UInt8]) -> File {
            File(path: RouterPath("dashboard/\(name).js"), type: "text/javascript; charset=utf-8", bytes: bytes)
        }
    }

    private static let files: [File] = [
        File(path: "", type: "text/html; charset=utf-8", bytes: PackageResources.index_html),
        File(path: "dashboard/icon.svg", type: "image/svg+xml", bytes: PackageResources.icon_svg),
        .style("dashboard", PackageResources.dashboard_css),
        .style("parts", PackageResources.parts_css),
        .module("assess", PackageResources.assess_js),
        .module("charts", PackageResources.charts_js),
        .module("dashboard", PackageResources.dashboard_js),
        .module("gate", PackageResources.gate_js),
        .module("nodes", PackageResources.nodes_js),
        .module("segments", PackageResources.segments_js),
        .module("stream", PackageResources.stream_js),
        .module("timeline", PackageResources.timeline_js),
        .module("words", PackageResources.words_js),
    ]

    /// The page runs and shows what came from this listener, and nothing else: no text of a log becomes a script.
    private static let policy =
        "default-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

    static func add(to router: Router<AdminContext>) {
        for file in self.files {
            router.get(file.path) { _, _ in
                var answer = AdminAnswer.bytes(file.bytes, type: file.type)
                answer.headers[.contentSecurityPolicy] = self.policy
                return answer
            }
        }
    }
}
