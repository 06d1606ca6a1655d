/** Random choices that a seed decides: mulberry32. */
export const randomOf = (seed: number) => {
  let state = seed >>> 0
  const next = (): number => {
    state = (state + 0x6d2b79f5) >>> 0
    let t = state
    t = Math.imul(t ^ (t >>> 15), t | 1)
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61)
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296
  }
  return {
    next,
    chance: (odds: number) => next() < odds,
    pick: <A>(from: ReadonlyArray<A>): A => from[Math.floor(next() * from.length)]!,
    /** A seed for other choices. */
    seed: () => Math.floor(next() * 2 ** 32),
    /** A token, as Number makes them. */
    hex: (): string =>
      Array.from({ length: 4 }, () =>
        Math.floor(next() * 2 ** 32)
          .toString(16)
          .padStart(8, "0")
      ).join("")
  }
}

export type Random = ReturnType<typeof randomOf>
