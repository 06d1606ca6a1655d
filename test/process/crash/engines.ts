/**
 * Tests on both engines: the programs of the run, and a PostgreSQL of the test file.
 */
import { afterAll, beforeAll, describe, inject } from "vitest"
import { type Postgres, startPostgres } from "../../support/postgres.js"
import { type EngineName, engineNames, type Given, onStage, type Stage } from "./world.js"

/** Runs a test on an engine. */
export type On = (use: (stage: Stage) => Promise<void>) => Promise<void>

/** The resources of the test file. */
export const useGiven = (): Given => {
  let postgres: Postgres | undefined
  beforeAll(async () => {
    postgres = await startPostgres()
  }, 120_000)
  afterAll(() => postgres?.end(), 60_000)
  return { programs: inject("programs"), newDatabase: async () => (await postgres!.database()).url }
}

/** Describes tests for each engine. They run side by side, since they mostly wait. */
export const describeOnEngines = (of: string, tests: (on: On, engine: EngineName, given: Given) => void) =>
  describe.concurrent(of, { timeout: 120_000 }, () => {
    const given = useGiven()
    describe.each(engineNames)("%s", (engine) => tests((use) => onStage(engine, given, use), engine, given))
  })
