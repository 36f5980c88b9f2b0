import Foundation

/// A dashboard as Grafana imports it (schema 38, Grafana 9.4 and later): the parts of its model that are used here.
struct GrafanaDashboard: Encodable {
    struct Panel {
        var title: String
        var description: String
        /// As Grafana calls it: `s`, `bytes`, `ops`, `short`, ...
        var unit: String
        /// PromQL, and the name of its lines.
        var queries: [(expression: String, legend: String)]
        /// One figure instead of lines.
        var isFigure = false
    }

    /// Panels under a heading, in order.
    struct Row {
        var title: String
        var panels: [Panel]
    }

    let title: String
    let uid: String
    var rows: [Row]

    /// Whose width is 24 everywhere.
    private static let figureSize = (width: 4, height: 4)
    private static let panelSize = (width: 8, height: 8)

    var json: String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        guard let bytes = try? encoder.encode(self) else { preconditionFailure("numbers and strings are always JSON") }
        return String(decoding: bytes, as: UTF8.self) + "\n"
    }

    func encode(to encoder: any Encoder) throws {
        try Document(
            title: self.title, uid: self.uid, panels: self.placed, templating: Document.Templating(list: Variable.all)
        ).encode(to: encoder)
    }

    /// From left to right, each row below the one before.
    private var placed: [PanelDocument] {
        var documents: [PanelDocument] = []
        var top = 0
        func place(_ make: (Int, PanelDocument.Place) -> PanelDocument, _ place: PanelDocument.Place) {
            documents.append(make(documents.count + 1, place))
        }
        for row in self.rows {
            place({ PanelDocument(heading: row.title, id: $0, at: $1) }, .init(x: 0, y: top, w: 24, h: 1))
            top += 1
            var left = 0
            var height = 0
            for panel in row.panels {
                let size = panel.isFigure ? Self.figureSize : Self.panelSize
                if left + size.width > 24 {
                    top += height
                    (left, height) = (0, 0)
                }
                place(
                    { PanelDocument(panel, id: $0, at: $1) }, .init(x: left, y: top, w: size.width, h: size.height))
                left += size.width
                height = max(height, size.height)
            }
            top += height
        }
        return documents
    }

    // MARK: As it is written

    private struct Document: Encodable {
        struct Templating: Encodable { var list: [Variable] }
        struct Time: Encodable {
            var from = "now-1h"
            var to = "now"
        }

        var title: String
        var uid: String
        var description = "Made by: holdfast generate grafana"
        var tags = ["holdfast"]
        var schemaVersion = 38
        var editable = true
        var refresh = "10s"
        var time = Time()
        var panels: [PanelDocument]
        var templating: Templating
    }

    private struct Variable: Encodable {
        var name: String
        var label: String
        var type: String
        var query: String
        var datasource: Source?
        var refresh: Int?

        /// Where from, and which cluster.
        static let all = [
            Variable(name: "source", label: "Data source", type: "datasource", query: "prometheus"),
            Variable(
                name: "job", label: "Cluster", type: "query", query: "label_values(holdfast_term, job)",
                datasource: Source(), refresh: 2),
        ]
    }

    private struct Source: Encodable {
        var type = "prometheus"
        var uid = "${source}"
    }

    private struct PanelDocument: Encodable {
        struct Place: Encodable {
            var x: Int
            var y: Int
            var w: Int
            var h: Int
        }

        struct Target: Encodable {
            var refId: String
            var expr: String
            var legendFormat: String
            var datasource = Source()
        }

        struct FieldConfig: Encodable {
            struct Defaults: Encodable { var unit: String }
            /// Empty; Grafana wants it there.
            struct Override: Encodable {}
            var defaults: Defaults
            var overrides: [Override] = []
        }

        var id: Int
        var type: String
        var title: String
        var description: String?
        var gridPos: Place
        var datasource: Source?
        var targets: [Target]?
        var fieldConfig: FieldConfig?
        var collapsed: Bool?

        init(heading: String, id: Int, at place: Place) {
            self.id = id
            self.type = "row"
            self.title = heading
            self.gridPos = place
            self.collapsed = false
        }

        init(_ panel: Panel, id: Int, at place: Place) {
            self.id = id
            self.type = panel.isFigure ? "stat" : "timeseries"
            self.title = panel.title
            self.description = panel.description
            self.gridPos = place
            self.datasource = Source()
            self.fieldConfig = FieldConfig(defaults: .init(unit: panel.unit))
            self.targets = zip("ABCDEFGH", panel.queries).map { name, query in
                Target(refId: String(name), expr: query.expression, legendFormat: query.legend)
            }
        }
    }
}
