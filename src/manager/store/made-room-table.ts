/** Apps that a deployment ended because they have its ports and their files want them no more. */
export interface MadeRoomTable {
  deployment_id: string
  app_id: string
}
