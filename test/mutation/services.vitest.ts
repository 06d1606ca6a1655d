import { mutationConfig } from "./vitest.js"

export default mutationConfig({
  include: ["test/unit/services/**/*.test.ts", "test/integration/{secretsAtRest,sqliteStore}.test.ts"],
  exclude: ["test/unit/services/NumberAccountsMany.test.ts"]
})
