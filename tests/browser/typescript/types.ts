// Compiled, never run: the shipped types and those of the SDK are one another's, in both directions.
import type * as sdk from 'sandbox-agent';
import type * as shipped from '../../../web/public/pyapp';

/** Compiles only if every `A` is a `B`. */
type Is<A extends B, B> = A;

export type DriverIsPersist = Is<shipped.Driver, sdk.SessionPersistDriver>;
export type PersistIsPersist = Is<sdk.SessionPersistDriver, shipped.SessionPersistDriver>;

// One by one as well: methods compare their parameters in one direction only.
export type Rows = [
  Is<shipped.SessionRecord, sdk.SessionRecord>,
  Is<sdk.SessionRecord, shipped.SessionRecord>,
  Is<shipped.SessionEvent, sdk.SessionEvent>,
  Is<sdk.SessionEvent, shipped.SessionEvent>,
];
export type Requests = [
  Is<sdk.ListPageRequest, shipped.ListPageRequest>,
  Is<shipped.ListPageRequest, sdk.ListPageRequest>,
  Is<sdk.ListEventsRequest, shipped.ListEventsRequest>,
  Is<shipped.ListEventsRequest, sdk.ListEventsRequest>,
];

/** The names are the SDK's, no more and no fewer: an optional one that is missing would pass the checks above. */
export type Names = [
  Is<keyof shipped.SessionRecord, keyof sdk.SessionRecord>,
  Is<keyof sdk.SessionRecord, keyof shipped.SessionRecord>,
  Is<keyof shipped.SessionEvent, keyof sdk.SessionEvent>,
  Is<keyof sdk.SessionEvent, keyof shipped.SessionEvent>,
  Is<keyof shipped.Driver, keyof sdk.SessionPersistDriver | 'close'>,
];
