import { defineConfig } from "vitest/config"

const ci = Boolean(process.env["CI"])

export default defineConfig({
  test: {
    include: ["test/**/*.test.ts"],
    exclude: ["**/node_modules/**", "dist/**", ".mutants/**"],
    setupFiles: ["test/support/breathe.ts"],
    pool: "forks",
    testTimeout: 60_000,
    reporters: ci ? ["default", "json"] : ["default"],
    outputFile: { json: "reports/vitest.json" }
  }
})
