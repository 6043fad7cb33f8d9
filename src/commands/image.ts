export { imageBuild } from './image-build.ts'
export { imageContent } from './image-content.ts'
export { imagePrune } from './image-prune.ts'
export { imagePush } from './image-push.ts'
