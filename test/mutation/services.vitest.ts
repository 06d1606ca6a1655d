import { mutationConfig } from "./vitest.js"

// Those of PostgreSQL are too slow to judge every mutant: PgStore has no test here, and its mutants survive.
export default mutationConfig({
  include: ["test/unit/services/**/*.test.ts", "test/integration/{secretsAtRest,sqliteStore}.test.ts"],
  exclude: ["test/unit/services/NumberAccountsMany.test.ts"]
})
