/** What Effect keeps because it has not ended. */
import { Effect, Fiber } from "effect"

/** How many fibers stand that nobody is to end: the roots, of the whole program. */
export const standing = (): number => Array.from(Effect.runSync(Fiber.roots)).length
