//! End-to-end tests, in one binary so that they run side by side: most of a drill is waiting.

mod architecture;
mod circles;
mod command_line;
mod databases;
mod dead_letters;
mod documented;
mod drills;
mod lab_commands;
mod lab_floors;
mod packages;
mod parameters;
mod plan;
mod report;
mod saboteurs;
mod sample_events;
mod second_judge;
mod stack;
mod supply_chain;
mod troubleshooting;
mod warm_standby;
