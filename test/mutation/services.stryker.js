import { room } from "./stryker.js"

export default room({ name: "services", mutate: ["src/services/**/*.ts"], breakAt: 90 })
