/** Lets the event loop turn before each test, so that the test runner hears from a file whose tests compute for long. */
import { beforeEach } from "vitest"

beforeEach(() => new Promise<void>((resolve) => setImmediate(resolve)))
