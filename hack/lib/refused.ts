/** A wish that cannot be granted, or a machine that lacks something; its message is for people, without a stack. */
export class Refused extends Error {
  override readonly name = 'Refused';
}
