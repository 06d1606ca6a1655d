import { defineConfig, globalIgnores } from "eslint/config"
import tseslint from "typescript-eslint"

/** Globals of the platform that the library reaches only through Effect's services. */
const restrictedGlobals = [
  { name: "Date", message: "Use effect/Clock or effect/DateTime, so that TestClock moves all of time." },
  { name: "performance", message: "Use Clock.currentTimeNanos from effect/Clock." },
  { name: "fetch", message: "Use HttpClient from @effect/platform/HttpClient." },
  { name: "process", message: "Use effect/Config, or hand the value in from src/cli." },
  { name: "console", message: "Use Effect.log…, or effect/Console." },
  { name: "setTimeout", message: "Use Effect.sleep, Effect.timeout or effect/Schedule." },
  { name: "setInterval", message: "Use Effect.repeat with effect/Schedule." },
  { name: "setImmediate", message: "Use Effect.yieldNow." }
]

const restrictedProperties = [{ object: "Math", property: "random", message: "Use effect/Random." }]

const restrictedSyntax = [
  {
    selector: "NewExpression[callee.name='Date'], NewExpression[callee.property.name='Date']",
    message: "Use effect/DateTime (DateTime.now, DateTime.unsafeMake), never `new Date`."
  },
  {
    selector: "CallExpression[callee.object.name='Date'][callee.property.name='now']",
    message: "Use Clock.currentTimeMillis from effect/Clock, never Date.now."
  },
  {
    selector: "ImportExpression[source.value=/^(effect|@effect\\u002Fplatform)$/]",
    message: "Import by submodule, as in effect/Effect: the barrel doubles the start-up time."
  }
]

const barrels = [
  {
    name: "effect",
    message:
      'Import by submodule, as in `import * as Effect from "effect/Effect"`: the barrel doubles the start-up time.'
  },
  {
    name: "@effect/platform",
    message:
      'Import by submodule, as in `import * as HttpClient from "@effect/platform/HttpClient"`: the barrel doubles the start-up time.'
  }
]

/** Modules of Node that are the restricted globals under another name. */
const nodeServices = ["process", "console", "timers", "timers/promises", "perf_hooks"]
  .flatMap((name) => [name, `node:${name}`])
  .map((name) => ({ name, message: "Use Effect's service: Config, Console, Clock, Schedule." }))

const xstate = {
  group: ["xstate", "xstate/*", "@xstate/*"],
  message: "Only src/machine and src/inspect know XState: use what src/machine exports."
}

const restrictedImports = ({ paths, patterns }) => ({
  "no-restricted-imports": ["error", { paths, patterns }]
})

export default defineConfig(
  globalIgnores([
    "dist",
    "docs",
    "reports",
    ".mutants",
    "test/.verify-*",
    ".stryker-tmp",
    "test/fixtures",
    "src/inspect/internal/page.ts" // written by npm run chart
  ]),
  { linterOptions: { reportUnusedDisableDirectives: "error" } },
  {
    files: ["**/*.ts", "**/*.tsx"],
    extends: [tseslint.configs.recommendedTypeChecked],
    languageOptions: {
      parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname }
    },
    rules: {
      "@typescript-eslint/consistent-type-imports": "error",
      "@typescript-eslint/no-unused-vars": [
        "error",
        { argsIgnorePattern: "^_", varsIgnorePattern: "^_", caughtErrorsIgnorePattern: "^_" }
      ],
      // Idioms of Effect that these rules take for mistakes.
      "require-yield": "off", // Effect.gen around a single return
      "@typescript-eslint/no-empty-object-type": "off", // interface X extends Schema.Schema.Type<typeof X> {}
      "@typescript-eslint/no-namespace": "off", // declare namespace X { type Type = … } beside a value
      "@typescript-eslint/no-redeclare": "off", // a type and a value of one name
      "@typescript-eslint/no-unsafe-declaration-merging": "off", // the same for classes
      "@typescript-eslint/unbound-method": "off", // services are records of functions, with no `this`
      "@typescript-eslint/only-throw-error": "off" // Effect.runSync and tests rethrow typed errors
    }
  },
  {
    // A file is read without scrolling back, and a function fits on a screen. eslint-suppressions.json lists the files that
    // are longer still, and those with longer functions. The list may only shrink: a new entry is an error, and so is one
    // that is not needed any more (`npm run lint -- --prune-suppressions` takes it out).
    files: ["src/**/*.ts", "src/**/*.tsx"],
    rules: { "max-lines": ["error", 300], "max-lines-per-function": ["error", 70] }
  },
  {
    files: ["src/**/*.ts"],
    rules: restrictedImports({ paths: [...barrels, ...nodeServices], patterns: [xstate] })
  },
  {
    files: ["src/**/*.ts"],
    // The live page's own code runs in a browser, which has none of Effect's services.
    ignores: ["src/cli/**", "src/inspect/page/**"],
    rules: {
      "no-restricted-globals": ["error", { globals: restrictedGlobals, checkGlobalObject: true }],
      "no-restricted-properties": ["error", ...restrictedProperties],
      "no-restricted-syntax": ["error", ...restrictedSyntax]
    }
  },
  {
    files: ["src/machine/**/*.ts", "src/inspect/**/*.ts"],
    rules: restrictedImports({ paths: [...barrels, ...nodeServices], patterns: [] })
  },
  {
    files: ["src/cli/**/*.ts"],
    rules: restrictedImports({ paths: barrels, patterns: [xstate] })
  },
  {
    files: ["test/**/*.ts", "bench/**/*.ts", "examples/**/*.ts"],
    rules: {
      // Answers of servers and of JSON.parse are looked at as they come.
      "@typescript-eslint/no-unsafe-assignment": "off",
      "@typescript-eslint/no-unsafe-member-access": "off",
      "@typescript-eslint/no-unsafe-argument": "off",
      "@typescript-eslint/no-unsafe-call": "off",
      "@typescript-eslint/no-unsafe-return": "off",
      "@typescript-eslint/require-await": "off"
    }
  }
)
