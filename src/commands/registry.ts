export { registryForget } from './registry-forget.ts'
export { registryObserve } from './registry-observe.ts'
export { registryServe } from './registry-serve.ts'
export { registryTrust } from './registry-trust.ts'
