//! What the command line asks of figures: what they are made of, who moved, and what changes.

use std::{fs, path::Path};

use barometer_chassis::testing::on_each_database;
use barometer_tests::{
    Suite,
    process::{Following, run},
};
use serde_json::Value;

/// Answers of three customers and of nobody: one becomes a detractor, one a promoter.
const ANSWERS: &str = "\
key,who,day,score,channel
1,ann,2024-01-01,9,web
2,bob,2024-01-02,5,web
3,cid,2024-01-03,10,shop
4,,2024-01-04,2,web
5,ann,2024-02-01,3,shop
6,bob,2024-02-02,9,web
7,cid,2024-02-03,9,web
";

/// A suite of these answers, and where its commands run.
struct World {
    suite: Suite,
    folder: tempfile::TempDir,
}

impl World {
    async fn new(suite: Suite) -> Self {
        let world = World { suite, folder: tempfile::tempdir().expect("a directory") };
        world.import("answers.csv", ANSWERS);
        world
    }

    fn import(&self, name: &str, rows: &str) {
        fs::write(self.folder().join(name), rows).expect("a file");
        let flags = "--map external_id=key --map customer=who --map time=day --map score=score --map channel=channel \
                     --set survey=s --source forms --customer-system shop";
        let (code, said) = self.told(&[vec!["import", "responses", name], flags.split(' ').collect()].concat());
        assert_eq!(code, 0, "{said}");
    }

    fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// What a command ends with, and what it says: its answer, or why there is none.
    fn told(&self, arguments: &[&str]) -> (i32, String) {
        let output = tokio::task::block_in_place(|| run(&self.suite.endpoint, arguments, self.folder()));
        let said = if output.status.success() { output.stdout } else { output.stderr };
        (output.status.code().expect("it ended"), String::from_utf8_lossy(&said).into_owned())
    }

    fn answer(&self, line: &str) -> String {
        let (code, said) = self.told(&line.split(' ').collect::<Vec<_>>());
        assert_eq!(code, 0, "{line}: {said}");
        said
    }

    fn json(&self, line: &str) -> Value {
        serde_json::from_str(&self.answer(&format!("{line} --format json"))).expect("JSON")
    }

    fn refuses(&self, line: &str, code: i32, words: &str) {
        let (told, said) = self.told(&line.split(' ').collect::<Vec<_>>());
        assert_eq!(told, code, "{line}: {said}");
        assert!(said.contains(words), "{line}: {said}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_figure_is_explained_fact_by_fact() {
    on_each_database(async |database| {
        let world = World::new(Suite::start(database).await).await;
        let table = world.answer("explain nps --from 2024 --to 2025");
        assert!(
            table.contains("= 100 * (4 - 3) / (4 + 0 + 3)\n  = 14.29,") && table.contains("\n7 facts\n"),
            "{table}"
        );

        let detractors = world.answer("explain nps --from 2024 --to 2025 --count detractors --format csv");
        let lines: Vec<_> = detractors.lines().collect();
        let titles = "time,source,kind,id,customer_id,promoters,passives,detractors,answers,value,amount,currency";
        assert_eq!((lines[0], lines.len()), (titles, 4), "{detractors}");

        let mut page = String::new();
        let mut found = Vec::new();
        while found.len() < 7 {
            let answer = world.json(&format!("explain nps --from 2024 --to 2025 --limit 3{page}"));
            assert_eq!((&answer["total_facts"], &answer["row"]["counts"]["answers"]), (&7.into(), &7.into()));
            found.extend(answer["facts"].as_array().expect("facts").iter().map(|fact| fact["id"].to_string()));
            page = format!(" --page {}", answer["next_page_token"].as_str().expect("a token"));
        }
        found.sort();
        found.dedup();
        assert_eq!((found.len(), page.as_str()), (7, " --page "), "each once, and then no more");

        let web = world.json("explain nps --from 2024-01 --to 2024-02 --where channel=web");
        assert_eq!((&web["row"]["counts"]["answers"], &web["total_facts"]), (&3.into(), &3.into()));
        world.refuses("explain nsp", 66, "METRIC: ");
        world.refuses("explain nps --count loves", 64, "--count: ");
        world.refuses("explain nps --row nonsense=1", 64, "--row");
        world.refuses("explain nps --page x", 64, "--page: ");
        world.suite.stop().await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn moves_are_listed() {
    on_each_database(async |database| {
        let world = World::new(Suite::start(database).await).await;
        let table = world.answer("moves");
        let (newest, oldest) = (table.find("detractor (5)  promoter (9)"), table.find("promoter (9)   detractor (3)"));
        assert!(newest.is_some() && newest < oldest && table.lines().count() == 3, "{table}");

        let first = world.json("moves --oldest-first --limit 1");
        let moved = &first["moves"][0];
        assert_eq!(
            (&moved["from"], &moved["to"], &moved["to_score"]),
            (&"promoter".into(), &"detractor".into(), &3.into())
        );
        assert_eq!(moved["time"], "2024-02-01T00:00:00Z");
        let token = first["next_page_token"].as_str().expect("a token");
        let second = world.json(&format!("moves --oldest-first --limit 1 --page {token}"));
        assert_eq!((&second["moves"][0]["to"], &second["next_page_token"]), (&"promoter".into(), &"".into()));

        let customer = moved["customer_id"].as_str().expect("an id");
        let lines = world.answer(&format!("moves --customer {customer} --format csv"));
        assert!(
            lines.lines().count() == 2 && lines.contains(",promoter,9,2024-01-01T00:00:00Z,detractor,3,"),
            "{lines}"
        );
        for none in ["--was detractor --became passive", "--from 2024-03", "--where channel=shop"] {
            assert_eq!(world.answer(&format!("moves {none}")), "nobody moved\n", "{none}");
        }
        world.refuses("moves --customer ann", 64, "--customer");
        world.refuses("moves --where nonsense=1", 64, "--where: ");
        world.suite.stop().await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_watched_figure_is_told_again_when_it_changes() {
    on_each_database(async |database| {
        let world = World::new(Suite::start(database).await).await;
        let watch = "query nps --from 2024 --to 2025 --every month --watch --format json";
        let watched = Following::start(&world.suite.endpoint, &watch.split(' ').collect::<Vec<_>>(), world.folder());
        let row = || -> Value {
            let line = tokio::task::block_in_place(|| watched.line());
            serde_json::from_str(&line).expect("a line of JSON")
        };
        let mut answers = std::collections::BTreeMap::new();
        while answers.len() < 12 {
            let row = row();
            answers.insert(row["label"].as_str().expect("a label").to_owned(), row["counts"]["answers"].clone());
        }
        assert_eq!((&answers["2024-01"], &answers["2024-02"], &answers["2024-03"]), (&4.into(), &3.into(), &0.into()));

        // Only the row that changes.
        world.import("late.csv", "key,who,day,score,channel\n8,dan,2024-03-05,9,web\n");
        let changed = row();
        assert_eq!((&changed["label"], &changed["counts"]["promoters"]), (&"2024-03".into(), &1.into()));
        world.import("later.csv", "key,who,day,score,channel\n9,dan,2024-02-05,0,web\n");
        let changed = row();
        assert_eq!((&changed["label"], &changed["counts"]["answers"]), (&"2024-02".into(), &4.into()));
        drop(watched);

        world.refuses("query nsp --watch", 66, "there is no metric nsp");
        world.suite.stop().await;
    })
    .await;
}
