//! What every ledger does. `ledger_contract!` makes a test of each sentence.

mod story;

use model::app::App;
use model::event::{Event, Happening};
use model::failure::{Failure, FailureCode};
use model::policy::{PolicyLoad, PolicyOrigin, Verdict};
use model::rollout::Phase;
use model::run::{Outcome, Settled};
use model::signing_key::KeyId;
use model::transparency::Inclusion;
use model::{Digest, Release, ReleaseNumber, RunId};

use super::{Change, Ledger, LedgerError};
use story::{
    at, env, events_of, evidence, exemption, name, promoted, record, release, run, shop, starting,
};

/// Makes a test of each sentence of the ledger's contract.
///
/// `$make` is an async function without arguments; it returns a new, empty ledger, and whatever
/// must live as long as the ledger does.
#[macro_export]
macro_rules! ledger_contract {
    ($make:path) => {
        $crate::contract_tests! { $make, $crate::ledger::contract,
            a_new_ledger_holds_nothing
            an_app_reads_back_as_it_was_recorded
            a_name_and_a_range_of_user_ids_belong_to_one_app
            an_app_taken_over_keeps_what_serves
            a_run_reads_back_and_settles_once
            runs_come_newest_first_and_the_unsettled_are_found
            a_stage_that_is_recorded_twice_is_told_once
            evidence_comes_in_the_order_of_recording
            a_release_reads_back_and_its_number_is_taken_once
            a_promotion_moves_the_stable_release_in_the_same_transaction
            a_rollback_to_an_older_release_makes_it_stable_again
            a_stable_release_that_ends_leaves_the_app_without_one
            each_phase_has_its_event_and_the_same_phase_again_has_none
            a_release_waits_for_its_proof_and_the_first_one_stays
            key_changes_are_events_of_the_server_alone
            a_person_stands_behind_one_hash_until_forgotten
            an_exemption_is_granted_once_and_stays_in_the_record_when_it_is_taken_back
            only_the_last_rescan_of_a_release_is_kept_and_each_is_told
            policies_and_vulnerability_data_are_events_of_the_server_alone
            entries_are_events_as_they_were_written
            env_values_are_numbered_without_gaps_and_stay_out_of_events
            pins_are_set_and_forgotten
            references_are_released_with_their_rule
            a_destroyed_app_is_restored_with_all_it_had
            a_removed_app_takes_everything_but_its_events_with_it
            what_is_missing_is_told_by_its_name
            changes_of_one_call_are_recorded_together_or_not_at_all
            events_have_no_gaps_and_their_canonical_bytes_are_stable
            writers_beside_each_other_make_one_log_without_gaps
        }
    };
}

fn is_conflict<T: std::fmt::Debug>(result: Result<T, LedgerError>) -> bool {
    match result {
        Err(LedgerError::Conflict(_)) => true,
        other => panic!("a conflict was expected, not {other:?}"),
    }
}

fn missing<T: std::fmt::Debug>(result: Result<T, LedgerError>) -> String {
    match result {
        Err(LedgerError::Missing(what)) => what,
        other => panic!("something missing was expected, not {other:?}"),
    }
}

fn settled(outcome: Outcome) -> Settled {
    Settled {
        outcome,
        release: Some(ReleaseNumber::FIRST),
        failure: Some(Failure::new(FailureCode::Exited, "the app exited").because("line 1")),
        log: Some(Digest::of(b"log")),
        at: at(9),
    }
}

async fn stable(ledger: &dyn Ledger) -> Option<ReleaseNumber> {
    let app = ledger.app(&name("shop")).await.expect("an answer");
    app.expect("there").stable
}

#[expect(missing_docs, reason = "the names are the sentences of the contract")]
mod sentences {
    use super::*;

    pub async fn a_new_ledger_holds_nothing(ledger: &dyn Ledger) {
        let shop = name("shop");
        assert_eq!(ledger.apps().await.expect("an answer"), []);
        assert_eq!(ledger.app(&shop).await.expect("an answer"), None);
        assert_eq!(ledger.releases(&shop).await.expect("an answer"), []);
        assert_eq!(ledger.runs(&shop, 9).await.expect("an answer"), []);
        assert_eq!(ledger.unsettled_runs().await.expect("an answer"), []);
        assert_eq!(ledger.events(0, 9).await.expect("an answer"), []);
        assert_eq!(ledger.held_blobs().await.expect("an answer"), []);
        assert_eq!(ledger.env_version(&shop).await.expect("an answer"), 0);
        let first = ledger.next_release(&shop).await.expect("an answer");
        assert_eq!(first, ReleaseNumber::FIRST);
        assert_eq!(record(ledger, vec![]).await, []);
    }

    pub async fn an_app_reads_back_as_it_was_recorded(ledger: &dyn Ledger) {
        use std::os::unix::ffi::OsStringExt;
        let not_utf8 = std::ffi::OsString::from_vec(b"/home/caf\xe9/\"shop'".to_vec());
        let odd = App {
            folder: not_utf8.into(),
            ..story::app("odd", 2)
        };
        let whole = App {
            stable: Some(ReleaseNumber::new(7)),
            destroyed_at: Some(at(3)),
            ..story::app("shop", 1)
        };
        let created = vec![
            Change::AppCreated(whole.clone()),
            Change::AppCreated(odd.clone()),
        ];
        assert_eq!(
            events_of(&record(ledger, created).await),
            ["app_created"; 2]
        );
        let app = ledger.app(&whole.name).await.expect("an answer");
        assert_eq!(app.as_ref(), Some(&whole));
        assert_eq!(ledger.apps().await.expect("an answer"), [odd, whole]);
    }

    pub async fn a_name_and_a_range_of_user_ids_belong_to_one_app(ledger: &dyn Ledger) {
        shop(ledger).await;
        for app in [story::app("shop", 2), story::app("other", 1)] {
            assert!(is_conflict(
                ledger.record(at(1), vec![Change::AppCreated(app)]).await
            ));
        }
        assert_eq!(ledger.apps().await.expect("an answer").len(), 1);
    }

    pub async fn an_app_taken_over_keeps_what_serves(ledger: &dyn Ledger) {
        shop(ledger).await;
        let key = promoted(ledger, 1).await;
        let other = App {
            folder: "/elsewhere".into(),
            ..story::app("shop", 1)
        };
        let events = record(ledger, vec![Change::AppTakenOver(other)]).await;
        assert_eq!(events_of(&events), ["app_taken_over"]);
        let app = ledger
            .app(&key.app)
            .await
            .expect("an answer")
            .expect("there");
        assert_eq!(app.folder.to_str(), Some("/elsewhere"));
        assert_eq!(app.stable, Some(key.number));
    }

    pub async fn a_run_reads_back_and_settles_once(ledger: &dyn Ledger) {
        shop(ledger).await;
        let run = run(1);
        let app = run.app.clone();
        record(ledger, vec![Change::RunStarted(run.clone())]).await;
        let runs = ledger.runs(&app, 9).await.expect("an answer");
        assert_eq!(runs, std::slice::from_ref(&run));
        let again = ledger.record(at(1), vec![Change::RunStarted(run.clone())]);
        assert!(is_conflict(again.await));

        let settle = |outcome| {
            let (app, run) = (app.clone(), run.id);
            let settled = settled(outcome);
            vec![Change::RunSettled { app, run, settled }]
        };
        let events = record(ledger, settle(Outcome::Failed)).await;
        assert_eq!(events_of(&events), ["run_settled"]);
        assert!(is_conflict(
            ledger.record(at(2), settle(Outcome::Promoted)).await
        ));
        let found = ledger.runs(&app, 9).await.expect("an answer");
        assert_eq!(found[0].settled, Some(settled(Outcome::Failed)));
        assert_eq!(ledger.unsettled_runs().await.expect("an answer"), []);
    }

    pub async fn runs_come_newest_first_and_the_unsettled_are_found(ledger: &dyn Ledger) {
        shop(ledger).await;
        let all = [run(1), run(2), run(3)];
        // Not in the order of their beginning.
        for index in [1, 0, 2] {
            record(ledger, vec![Change::RunStarted(all[index].clone())]).await;
        }
        let two = ledger.runs(&all[0].app, 2).await.expect("an answer");
        assert_eq!(two, [all[2].clone(), all[1].clone()]);
        let unsettled = ledger.unsettled_runs().await.expect("an answer");
        assert_eq!(unsettled, all);
    }

    pub async fn a_stage_that_is_recorded_twice_is_told_once(ledger: &dyn Ledger) {
        shop(ledger).await;
        let run = run(1);
        record(ledger, vec![Change::RunStarted(run.clone())]).await;
        let first = evidence(run.id, 1);
        let stage = |evidence: &model::evidence::Evidence| Change::StageRecorded {
            app: run.app.clone(),
            evidence: evidence.clone(),
        };
        let events = record(ledger, vec![stage(&first)]).await;
        assert_eq!(events_of(&events), ["stage_recorded"]);
        assert_eq!(record(ledger, vec![stage(&first)]).await, []);
        let twice = vec![stage(&evidence(run.id, 2)), stage(&evidence(run.id, 2))];
        assert_eq!(record(ledger, twice).await.len(), 1);
        let found = ledger.evidence(run.id).await.expect("an answer");
        assert_eq!(found, [first, evidence(run.id, 2)]);
    }

    pub async fn evidence_comes_in_the_order_of_recording(ledger: &dyn Ledger) {
        shop(ledger).await;
        let run = run(1);
        record(ledger, vec![Change::RunStarted(run.clone())]).await;
        for attempt in [3, 1, 2] {
            let evidence = evidence(run.id, attempt);
            let app = run.app.clone();
            record(ledger, vec![Change::StageRecorded { app, evidence }]).await;
        }
        let found = ledger.evidence(run.id).await.expect("an answer");
        let attempts: Vec<_> = found.iter().map(|evidence| evidence.attempt).collect();
        assert_eq!(attempts, [3, 1, 2]);
    }

    pub async fn a_release_reads_back_and_its_number_is_taken_once(ledger: &dyn Ledger) {
        shop(ledger).await;
        let (first, second) = (release(1), release(2));
        for release in [&first, &second] {
            let next = ledger.next_release(&release.key.app).await;
            assert_eq!(next.expect("an answer"), release.key.number);
            let created = Change::ReleaseCreated(Box::new(release.clone()));
            let events = record(ledger, vec![created.clone()]).await;
            assert_eq!(events_of(&events), ["release_created"]);
            assert!(is_conflict(ledger.record(at(1), vec![created]).await));
        }
        let found = ledger.release(&first.key).await.expect("an answer");
        assert_eq!(found.as_ref(), Some(&first));
        let all = ledger.releases(&first.key.app).await.expect("an answer");
        assert_eq!(all, [second, first]);
    }

    pub async fn a_promotion_moves_the_stable_release_in_the_same_transaction(ledger: &dyn Ledger) {
        shop(ledger).await;
        starting(ledger, 1).await;
        assert_eq!(stable(ledger).await, None);
        let events = story::move_to(ledger, 1, Phase::Promoted { at: at(5) }).await;
        assert_eq!(events_of(&events), ["promoted"]);
        assert_eq!(stable(ledger).await, Some(ReleaseNumber::FIRST));

        // One call that fails at its end: neither the phase nor the stable release has moved.
        let key = starting(ledger, 2).await;
        let torn = vec![
            Change::PhaseMoved {
                release: key.clone(),
                phase: Phase::Promoted { at: at(6) },
            },
            Change::AppRestored {
                app: name("nobody"),
            },
        ];
        missing(ledger.record(at(6), torn).await);
        assert_eq!(stable(ledger).await, Some(ReleaseNumber::FIRST));
        let found = ledger
            .release(&key)
            .await
            .expect("an answer")
            .expect("there");
        assert!(matches!(found.phase, Phase::Starting { .. }));
    }

    pub async fn a_rollback_to_an_older_release_makes_it_stable_again(ledger: &dyn Ledger) {
        shop(ledger).await;
        promoted(ledger, 1).await;
        promoted(ledger, 2).await;
        let phase = Phase::Promoted { at: at(1) };
        let events = story::move_to(ledger, 1, phase).await;
        assert_eq!(events.len(), 1);
        assert_eq!(
            events[0].what,
            model::event::Happening::Promoted {
                release: ReleaseNumber::FIRST,
                previous: Some(ReleaseNumber::new(2)),
            }
        );
        assert_eq!(stable(ledger).await, Some(ReleaseNumber::FIRST));
    }

    pub async fn a_stable_release_that_ends_leaves_the_app_without_one(ledger: &dyn Ledger) {
        shop(ledger).await;
        promoted(ledger, 1).await;
        let cause = Failure::new(FailureCode::Exited, "the app exited");
        starting(ledger, 2).await;
        let failed = Phase::Failed {
            cause: cause.clone(),
        };
        story::move_to(ledger, 2, failed).await;
        assert_eq!(stable(ledger).await, Some(ReleaseNumber::FIRST));
        story::move_to(ledger, 1, Phase::RolledBack { cause }).await;
        assert_eq!(stable(ledger).await, None);
    }

    pub async fn each_phase_has_its_event_and_the_same_phase_again_has_none(ledger: &dyn Ledger) {
        shop(ledger).await;
        let cause = Failure::new(FailureCode::NotReady, "not \u{1f984} \"ready\"").hint("wait");
        let told = [
            (Phase::Promoted { at: at(5) }, "promoted"),
            (
                Phase::Failed {
                    cause: cause.clone(),
                },
                "release_failed",
            ),
            (Phase::RolledBack { cause }, "rolled_back"),
            (Phase::Superseded, "release_superseded"),
        ];
        for (number, (phase, event)) in (1..).zip(told) {
            let key = starting(ledger, number).await;
            let events = story::move_to(ledger, number, phase.clone()).await;
            assert_eq!(events_of(&events), [event]);
            assert_eq!(story::move_to(ledger, number, phase.clone()).await, []);
            let found = ledger
                .release(&key)
                .await
                .expect("an answer")
                .expect("there");
            assert_eq!(found.phase, phase);
        }
        let later = Phase::Starting { since: at(9) };
        starting(ledger, 9).await;
        assert_eq!(story::move_to(ledger, 9, later).await, []);
    }

    pub async fn env_values_are_numbered_without_gaps_and_stay_out_of_events(ledger: &dyn Ledger) {
        shop(ledger).await;
        let app = name("shop");
        let set = |version, value: &str| {
            let (app, values) = (name("shop"), env(value));
            vec![Change::EnvSet {
                app,
                version,
                values,
            }]
        };
        let events = record(ledger, set(1, "hunter2")).await;
        assert_eq!(events_of(&events), ["env_set"]);
        let told = String::from_utf8(events[0].canonical_bytes()).expect("text");
        assert!(!told.contains("hunter2") && !told.contains("KEY"), "{told}");
        for version in [0, 1, 3] {
            assert!(is_conflict(ledger.record(at(1), set(version, "x")).await));
        }
        record(ledger, set(2, "correct horse")).await;
        assert_eq!(ledger.env_version(&app).await.expect("an answer"), 2);
        assert!(ledger.env(&app, 0).await.expect("empty").0.is_empty());
        assert_eq!(ledger.env(&app, 1).await.expect("there"), env("hunter2"));
        assert_eq!(
            ledger.env(&app, 2).await.expect("there"),
            env("correct horse")
        );
        missing(ledger.env(&app, 3).await);
    }

    pub async fn pins_are_set_and_forgotten(ledger: &dyn Ledger) {
        shop(ledger).await;
        let app = name("shop");
        let pin = |name: &str, blob: Option<&[u8]>| Change::Pinned {
            app: "shop".parse().expect("a good name"),
            name: name.into(),
            blob: blob.map(Digest::of),
        };
        let first = vec![pin("uv.lock", Some(b"1")), pin("base", Some(b"b"))];
        assert_eq!(record(ledger, first).await, []);
        record(ledger, vec![pin("uv.lock", Some(b"2"))]).await;
        let base = ("base".to_owned(), Digest::of(b"b"));
        let lock = ("uv.lock".to_owned(), Digest::of(b"2"));
        let pins = ledger.pins(&app).await.expect("an answer");
        assert_eq!(pins, [base.clone(), lock]);
        let held = ledger.held_blobs().await.expect("an answer");
        assert!(held.contains(&base.1) && held.contains(&Digest::of(b"2")));
        assert!(!held.contains(&Digest::of(b"1")));
        record(ledger, vec![pin("uv.lock", None), pin("never", None)]).await;
        assert_eq!(ledger.pins(&app).await.expect("an answer"), [base]);
        let let_go = ledger.blob_releases(&Digest::of(b"1")).await;
        assert_eq!(let_go.expect("an answer").len(), 1);
    }

    pub async fn references_are_released_with_their_rule(ledger: &dyn Ledger) {
        let blobs: Vec<_> = (0..1200u32).map(|n| Digest::of(&n.to_le_bytes())).collect();
        let hold = |holder: &str, digests: &[Digest], rule: &str| {
            vec![Change::BlobsHeld {
                holder: holder.into(),
                digests: digests.to_vec(),
                rule: rule.into(),
            }]
        };
        let held = async || ledger.held_blobs().await.expect("an answer");
        let doubled = [&blobs[..], &blobs[..3]].concat();
        assert_eq!(record(ledger, hold("run:1", &doubled, "")).await, []);
        record(ledger, hold("release:shop.r1", &blobs[..2], "")).await;
        let mut sorted = blobs.clone();
        sorted.sort();
        assert_eq!(held().await, sorted);

        record(ledger, hold("run:1", &blobs[1..3], "the run has ended")).await;
        assert_eq!(held().await.len(), 3);
        record(ledger, hold("run:1", &[], "the run is old")).await;
        assert_eq!(held().await.len(), 2);
        let let_go = async |blob| {
            let let_go = ledger.blob_releases(blob).await.expect("an answer");
            let told = let_go.into_iter().map(|r| (r.holder, r.rule, r.at));
            told.collect::<Vec<_>>()
        };
        let told = |rule: &str| ("run:1".to_owned(), rule.to_owned(), at(100));
        assert_eq!(let_go(&blobs[0]).await, [told("the run has ended")]);
        assert_eq!(let_go(&blobs[2]).await, [told("the run is old")]);
        assert_eq!(let_go(&blobs[1199]).await, [told("the run has ended")]);
        assert_eq!(let_go(&Digest::of(b"never held")).await, []);
    }

    pub async fn a_destroyed_app_is_restored_with_all_it_had(ledger: &dyn Ledger) {
        shop(ledger).await;
        let key = promoted(ledger, 1).await;
        let before = ledger.app(&key.app).await.expect("an answer");
        let app = || key.app.clone();
        let destroy = |second| {
            let at = at(second);
            vec![Change::AppDestroyed { app: app(), at }]
        };
        let events = record(ledger, destroy(50)).await;
        assert_eq!(events_of(&events), ["destroyed"]);
        assert_eq!(record(ledger, destroy(60)).await, []);
        let destroyed = ledger.app(&key.app).await.expect("an answer");
        assert_eq!(destroyed.expect("there").destroyed_at, Some(at(50)));
        let restore = || vec![Change::AppRestored { app: app() }];
        assert_eq!(events_of(&record(ledger, restore()).await), ["restored"]);
        assert_eq!(record(ledger, restore()).await, []);
        assert_eq!(ledger.app(&key.app).await.expect("an answer"), before);
    }

    pub async fn a_removed_app_takes_everything_but_its_events_with_it(ledger: &dyn Ledger) {
        shop(ledger).await;
        record(ledger, vec![Change::AppCreated(story::app("shop-2", 2))]).await;
        promoted(ledger, 1).await;
        let run = run(1);
        let held = story::everything_held(ledger, &run).await;
        let before = ledger.events(0, 1000).await.expect("an answer");

        let app = run.app.clone();
        let removed = record(ledger, vec![Change::AppRemoved { app: app.clone() }]).await;
        assert_eq!(events_of(&removed), ["removed"]);
        assert_eq!(ledger.app(&app).await.expect("an answer"), None);
        assert_eq!(ledger.releases(&app).await.expect("an answer"), []);
        assert_eq!(ledger.runs(&app, 9).await.expect("an answer"), []);
        assert_eq!(ledger.evidence(run.id).await.expect("an answer"), []);
        assert_eq!(ledger.pins(&app).await.expect("an answer"), []);
        assert_eq!(ledger.env_version(&app).await.expect("an answer"), 0);
        missing(ledger.env(&app, 1).await);
        assert_eq!(
            ledger.held_blobs().await.expect("an answer"),
            held.of_others
        );
        for blob in &held.of_the_app {
            let let_go = ledger.blob_releases(blob).await.expect("an answer");
            assert!(!let_go.is_empty() && !let_go[0].rule.is_empty());
        }
        let after = ledger.events(0, 1000).await.expect("an answer");
        assert_eq!(after[..before.len()], before);
        shop(ledger).await;
        let first = ledger.next_release(&app).await.expect("an answer");
        assert_eq!(first, ReleaseNumber::FIRST);
    }

    pub async fn what_is_missing_is_told_by_its_name(ledger: &dyn Ledger) {
        let app = name("ghost");
        let run = RunId::new(at(1));
        let ghostly = |release: u32| {
            let mut release = release_of("ghost", release);
            release.run = run;
            release
        };
        let settled = settled(Outcome::Failed);
        for change in [
            Change::AppTakenOver(story::app("ghost", 3)),
            Change::RunStarted(story::run_of("ghost", 1)),
            Change::StageRecorded {
                app: app.clone(),
                evidence: evidence(run, 1),
            },
            Change::RunSettled {
                app: app.clone(),
                run,
                settled,
            },
            Change::ReleaseCreated(Box::new(ghostly(1))),
            Change::PhaseMoved {
                release: ghostly(1).key,
                phase: Phase::Superseded,
            },
            Change::EnvSet {
                app: app.clone(),
                version: 1,
                values: env("x"),
            },
            Change::Pinned {
                app: app.clone(),
                name: "lock".into(),
                blob: Some(Digest::of(b"x")),
            },
            Change::AppDestroyed {
                app: app.clone(),
                at: at(1),
            },
            Change::AppRestored { app: app.clone() },
            Change::AppRemoved { app },
        ] {
            let told = missing(ledger.record(at(1), vec![change.clone()]).await);
            assert!(told.contains("ghost"), "{told}: {change:?}");
        }
        assert_eq!(ledger.events(0, 9).await.expect("an answer"), []);
    }

    pub async fn changes_of_one_call_are_recorded_together_or_not_at_all(ledger: &dyn Ledger) {
        shop(ledger).await;
        let before = ledger.events(0, 1000).await.expect("an answer");
        let torn = vec![
            Change::AppCreated(story::app("other", 2)),
            Change::RunStarted(run(1)),
            Change::BlobsHeld {
                holder: "run:1".into(),
                digests: vec![Digest::of(b"x")],
                rule: String::new(),
            },
            Change::AppCreated(story::app("shop", 3)),
        ];
        assert!(is_conflict(ledger.record(at(1), torn).await));
        assert_eq!(ledger.apps().await.expect("an answer").len(), 1);
        assert_eq!(ledger.unsettled_runs().await.expect("an answer"), []);
        assert_eq!(ledger.held_blobs().await.expect("an answer"), []);
        assert_eq!(ledger.events(0, 1000).await.expect("an answer"), before);
    }

    pub async fn a_release_waits_for_its_proof_and_the_first_one_stays(ledger: &dyn Ledger) {
        shop(ledger).await;
        let proof = |index| Inclusion {
            index,
            entry: "{}".into(),
            hashes: vec![Digest::of(b"hash")],
            checkpoint: "log\n1\nroot\n".into(),
        };
        let unsigned = Release {
            verification: None,
            ..release(1)
        };
        let signed = release(2);
        let created = [unsigned.clone(), signed.clone()].map(Box::new);
        let events = record(ledger, created.map(Change::ReleaseCreated).into()).await;
        let waiting = vec![(signed.key.clone(), events[1].seq)];
        assert_eq!(ledger.unproven().await.expect("an answer"), waiting);
        assert_eq!(ledger.proof(&signed.key).await.expect("an answer"), None);
        for index in [7, 8] {
            let kept = Change::ProofKept {
                release: signed.key.clone(),
                proof: proof(index),
            };
            assert_eq!(record(ledger, vec![kept]).await, []);
        }
        assert_eq!(ledger.unproven().await.expect("an answer"), []);
        let kept = ledger.proof(&signed.key).await.expect("an answer");
        assert_eq!(kept, Some(proof(7)));
        let unknown = Change::ProofKept {
            release: release(9).key,
            proof: proof(1),
        };
        missing(ledger.record(at(1), vec![unknown]).await);
        record(ledger, vec![Change::AppRemoved { app: name("shop") }]).await;
        assert_eq!(ledger.proof(&signed.key).await.expect("an answer"), None);
    }

    pub async fn key_changes_are_events_of_the_server_alone(ledger: &dyn Ledger) {
        shop(ledger).await;
        let key = KeyId::of(b"key");
        let begun = Change::KeyBegun {
            key,
            previous: None,
        };
        let revoked = Change::KeyRevoked { key, from: at(3) };
        let told = record(ledger, vec![begun, revoked]).await;
        assert_eq!(events_of(&told), ["key_begun", "key_revoked"]);
        assert!(told.iter().all(|event| event.app.is_none()));
        let of_server = ledger.events_of(None, 0, 9).await.expect("an answer");
        assert_eq!(of_server, told);
        let shop = name("shop");
        let of_shop = ledger
            .events_of(Some(&shop), 0, 9)
            .await
            .expect("an answer");
        assert_eq!(events_of(&of_shop), ["app_created"]);
        let later = ledger
            .events_of(None, told[0].seq, 9)
            .await
            .expect("an answer");
        assert_eq!(later, told[1..]);
    }

    pub async fn a_person_stands_behind_one_hash_until_forgotten(ledger: &dyn Ledger) {
        shop(ledger).await;
        let by = async |number| {
            let events = record(ledger, vec![Change::RunStarted(run(number))]).await;
            match events[0].what {
                Happening::RunStarted { by: Some(by), .. } => by,
                ref other => panic!("{other:?}"),
            }
        };
        let (first, second) = (by(1).await, by(2).await);
        assert_eq!(first, second);
        let owner = run(1).owner;
        let known = ledger.stand_ins().await.expect("an answer");
        assert_eq!(known, [(owner, first)]);
        record(ledger, vec![Change::PersonForgotten { owner }]).await;
        assert_eq!(ledger.stand_ins().await.expect("an answer"), []);
        assert_ne!(by(3).await, first);
    }

    pub async fn an_exemption_is_granted_once_and_stays_in_the_record_when_it_is_taken_back(
        ledger: &dyn Ledger,
    ) {
        shop(ledger).await;
        let (shop, by) = (name("shop"), run(1).owner);
        let granted = exemption(&shop);
        let grant = || Change::ExemptionGranted {
            exemption: Box::new(granted.clone()),
            by,
        };
        let told = record(ledger, vec![grant()]).await;
        assert_eq!(events_of(&told), ["exemption_granted"]);
        let text = String::from_utf8_lossy(&told[0].canonical_bytes()).into_owned();
        assert!(!text.contains("a person's name"), "{text}");
        assert_eq!(record(ledger, vec![grant()]).await, []);
        let all = ledger.exemptions(&shop).await.expect("an answer");
        assert_eq!(all, std::slice::from_ref(&granted));
        let id = granted.id;
        let revoke = || vec![Change::ExemptionRevoked { id, by }];
        assert_eq!(
            events_of(&record(ledger, revoke()).await),
            ["exemption_revoked"]
        );
        let all = ledger.exemptions(&shop).await.expect("an answer");
        assert!(all[0].revoked_at.is_some());
        assert_eq!(record(ledger, revoke()).await, []);
        let id = Digest::of(b"another one");
        let unknown = vec![Change::ExemptionRevoked { id, by }];
        assert!(missing(ledger.record(at(9), unknown).await).contains("exemption"));
        let other = ledger.exemptions(&name("blog")).await.expect("an answer");
        assert_eq!(other, []);
    }

    pub async fn only_the_last_rescan_of_a_release_is_kept_and_each_is_told(ledger: &dyn Ledger) {
        shop(ledger).await;
        record(ledger, vec![Change::RunStarted(run(1))]).await;
        let release = release(1);
        let key = release.key.clone();
        record(ledger, vec![Change::ReleaseCreated(Box::new(release))]).await;
        assert_eq!(ledger.rescan(&key).await.expect("an answer"), None);
        for text in ["one", "two"] {
            let evidence = Digest::of(text.as_bytes());
            let change = Change::Rescanned {
                release: key.clone(),
                evidence,
                verdict: Verdict::Fail,
            };
            assert_eq!(
                events_of(&record(ledger, vec![change]).await),
                ["rescanned"]
            );
            assert_eq!(
                ledger.rescan(&key).await.expect("an answer"),
                Some(evidence)
            );
        }
    }

    pub async fn policies_and_vulnerability_data_are_events_of_the_server_alone(
        ledger: &dyn Ledger,
    ) {
        shop(ledger).await;
        let loaded = Change::PolicyLoaded(PolicyLoad {
            origin: PolicyOrigin::Folder("/etc/policies".into()),
            digest: Digest::of(b"policy"),
        });
        let imported = Change::AdvisoriesImported {
            data: Digest::of(b"data"),
            modified: Some(at(1)),
        };
        let told = record(ledger, vec![loaded, imported]).await;
        assert_eq!(events_of(&told), ["policy_loaded", "advisories_imported"]);
        assert!(told.iter().all(|event| event.app.is_none()));
    }

    pub async fn entries_are_events_as_they_were_written(ledger: &dyn Ledger) {
        shop(ledger).await;
        promoted(ledger, 1).await;
        let events = ledger.events(0, 99).await.expect("an answer");
        let entries = ledger.entries(0, 99).await.expect("an answer");
        let texts: Vec<_> = entries.iter().map(|entry| entry.text.as_bytes()).collect();
        let canonical: Vec<_> = events.iter().map(Event::canonical_bytes).collect();
        assert_eq!(texts, canonical);
        let columns = |entry: &super::super::Entry| (entry.seq, entry.at, entry.kind.clone());
        let kinds = events_of(&events);
        let expected = events.iter().zip(kinds);
        let expected: Vec<_> = expected
            .map(|(event, kind)| (event.seq, event.at, kind))
            .collect();
        let found: Vec<_> = entries.iter().map(columns).collect();
        assert_eq!(found, expected);
        assert!(entries.iter().all(|entry| entry.app == "shop"));
        assert_eq!(
            ledger.entries(1, 1).await.expect("an answer"),
            entries[1..2]
        );
    }

    pub async fn events_have_no_gaps_and_their_canonical_bytes_are_stable(ledger: &dyn Ledger) {
        shop(ledger).await;
        let mut told: Vec<Event> = ledger.events(0, 10).await.expect("an answer");
        for number in 1..=20 {
            // A refused call takes no number.
            let taken = ledger.record(at(1), vec![Change::AppCreated(story::app("shop", 9))]);
            assert!(is_conflict(taken.await));
            let release = release(number);
            let key = release.key.clone();
            let created = Change::ReleaseCreated(Box::new(release));
            let phase = Phase::Promoted { at: at(5) };
            let promoted = Change::PhaseMoved {
                release: key,
                phase,
            };
            told.extend(record(ledger, vec![created, promoted]).await);
        }
        let read = ledger.events(0, 1000).await.expect("an answer");
        let bytes = |events: &[Event]| events.iter().map(Event::canonical_bytes).collect();
        let (told_bytes, read_bytes): (Vec<_>, Vec<_>) = (bytes(&told), bytes(&read));
        assert_eq!(told_bytes, read_bytes);
        let numbers: Vec<_> = read.iter().map(|event| event.seq).collect();
        assert_eq!(numbers, (1..=41).collect::<Vec<u64>>());
        let some = ledger.events(10, 5).await.expect("an answer");
        assert_eq!(some, read[10..15]);
    }

    pub async fn writers_beside_each_other_make_one_log_without_gaps(ledger: &dyn Ledger) {
        let write = async |from: u32| {
            for slot in (from..from + 40).step_by(4) {
                let app = story::app(&format!("app-{slot}"), slot);
                record(ledger, vec![Change::AppCreated(app)]).await;
                ledger.apps().await.expect("readers need not wait");
            }
        };
        tokio::join!(write(0), write(1), write(2), write(3));
        let events = ledger.events(0, 1000).await.expect("an answer");
        let numbers: Vec<_> = events.iter().map(|event| event.seq).collect();
        assert_eq!(numbers, (1..=40).collect::<Vec<u64>>());
    }

    use story::release_of;
}

pub use sentences::*;
