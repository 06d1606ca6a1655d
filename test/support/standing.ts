/** The fibers that have not ended. */
import { Effect, Fiber } from "effect"

/** How many root fibers of the whole program have not ended. No parent fiber ends them. */
export const standing = (): number => Array.from(Effect.runSync(Fiber.roots)).length
