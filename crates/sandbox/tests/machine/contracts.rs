//! The contracts of both ports.

mod runtime {
    use ports::runtime::contract::Ground;

    use crate::support::{Room, base};

    async fn ground() -> (Ground, Room) {
        let room = Room::new();
        let ground = Ground {
            runtime: Box::new(room.sandboxes.clone()),
            base: vec![base()],
            room: room.path("ground"),
        };
        (ground, room)
    }

    ports::runtime_contract!(ground);
}

mod workshop {
    use ports::workshop::contract::Ground;

    use crate::support::{Room, base};

    async fn ground() -> (Ground, Room) {
        let room = Room::new();
        let ground = Ground {
            workshop: Box::new(room.sandboxes.clone()),
            base: vec![base()],
            room: room.path("ground"),
        };
        (ground, room)
    }

    ports::workshop_contract!(ground);
}
